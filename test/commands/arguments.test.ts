import {readdirSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import type {Command} from '@oclif/core';
import {expect, it} from 'vitest';

const folder = fileURLToPath(new URL('../../src/commands/', import.meta.url));
const files = readdirSync(folder, {recursive: true, encoding: 'utf8'}).filter((name) => name.endsWith('.ts'));

it.each(files)(
  '%s leaves standard input alone, where oclif would take it for a missing argument',
  async (file) => {
    const {default: command} = (await import(`${folder}${file}`)) as {default: typeof Command};
    const takers = Object.entries(command.args).filter(([, argument]) => !argument.ignoreStdin);
    expect(takers.map(([name]) => name)).toEqual([]);
  },
);
