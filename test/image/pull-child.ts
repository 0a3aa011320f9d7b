/** Pulls an image in a process of its own: `pull-child.ts <folder> <reference> [<volume>]`. Prints progress, then the image. */
import {createImageStore} from '../../src/image/create-image-store.js';

const main = async (): Promise<void> => {
  const [root = '', reference = '', volume] = process.argv.slice(2);
  const say = (text: string) => console.log(text);
  const store = createImageStore({
    imagesFolder: `${root}/images`,
    containersFolder: `${root}/containers`,
    env: process.env,
    withLock: (_name, work) => work(),
    storageVolume: volume === undefined ? null : async () => volume,
  });
  const signal = new AbortController().signal;
  const image = await store.pull({reference, progress: {step: say, detail: say}, signal});
  console.log(JSON.stringify(image));
};

main().catch((error) => {
  console.log(JSON.stringify({code: error.code, message: error.message, hints: error.hints}));
  process.exitCode = 1;
});
