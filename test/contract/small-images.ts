/** Small images in a store of their own, made once for a file of tests. */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll} from 'vitest';
import {writeLayout} from '../image/oci-image.js';
import {agent} from '../support/agent.js';
import {smallImage} from './small-image.js';

type Config = Readonly<Record<string, unknown>>;

export interface SmallImages {
  /** For the state directories that use them. */
  readonly folder: string;
  /** By the names that were asked for. */
  readonly digests: Readonly<Record<string, string>>;
}

/** One image with each of these configurations. */
export const useSmallImages = async (configs: Readonly<Record<string, Config>>): Promise<SmallImages> => {
  const path = mkdtempSync(join(tmpdir(), 'agent-small-images-'));
  const remove = (): void => rmSync(path, {recursive: true, force: true});
  afterAll(remove);
  const digests: Record<string, string> = {};
  for (const [name, config] of Object.entries(configs)) {
    const layout = join(path, name);
    await writeLayout(layout, '1', await smallImage(config));
    const {code, stdout, stderr} = await agent(['image', 'pull', `oci:${layout}:1`], {state: {path, remove}});
    if (code !== 0) throw new Error(`the image for the tests cannot be made: ${stderr}`);
    digests[name] = String((JSON.parse(stdout.toString()) as {digest: string}).digest);
  }
  return {folder: join(path, 'images'), digests};
};

/** The one image that most tests need. */
export const useSmallImage = async (): Promise<SmallImages> => await useSmallImages({small: {}});
