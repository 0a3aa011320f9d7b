// @ts-check
/**
 * Brings a clone to where `agent` works: system packages, npm packages, the guest agent, the build, a kernel, images.
 * Plain Node without packages, since it has to run before there are any. Each step looks first and does nothing where
 * nothing is missing.
 */
import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {homedir} from 'node:os';
import {dirname, join} from 'node:path';
import {fingerprint, unlessStamped} from './fingerprint.mjs';
import {preparedEnvironment, setupScript} from './host.mjs';
import {withFileLock} from './lock.mjs';
import {npmPackagesAreInstalled} from './npm-packages.mjs';
import {createScreen} from './screen.mjs';
import {runStep, StepError} from './step.mjs';

const OLDEST_NODE = [20, 19];
const BUILD_INPUTS = [
  'src',
  'bin',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'scripts/build.mjs',
  'scripts/build',
];

/** @typedef {{root: string, screen: import('./screen.mjs').Screen}} Place */

/** @param {{root: string, languages: readonly string[]}} options */
export const prepare = async ({root, languages}) => {
  const place = {root, screen: createScreen()};
  requireNode();
  // For this process and all that it starts: nobody has sourced what the first step writes.
  Object.assign(
    process.env,
    preparedEnvironment({platform: process.platform, env: process.env, home: homedir()}),
  );
  const steps = async () => {
    await installSystemPackages(place);
    await installNpmPackages(place);
    await buildGuestAgent(place);
    await buildCli(place);
    await setUp(place, languages);
  };
  await withFileLock(join(root, 'dist', 'prepare.lock'), steps, {
    onWait: (pid) => place.screen.line(`• waiting for process ${pid}, which prepares this clone already`),
  });
};

/** @param {string} version */
export const requireNode = (version = process.versions.node) => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new StepError(`Node ${version} is too old`, {mend: `install Node ${OLDEST_NODE.join('.')} or newer`});
};

/** @param {Place} place */
const installSystemPackages = async ({root}) => {
  const found = setupScript();
  if (found === undefined) return;
  const script = join(root, found);
  if (succeeds(script, ['--build', '--check'])) return;
  await runStep({
    title: 'System packages',
    file: script,
    args: ['--build', '--yes'],
    cwd: root,
    mend: 'mend what is said above, then run this again',
  });
};

/** @param {Place} place */
const installNpmPackages = async ({root, screen}) => {
  if (npmPackagesAreInstalled(root)) return;
  const npm = process.env.npm_execpath;
  await runStep({
    title: 'npm packages (npm ci)',
    file: npm ? process.execPath : 'npm',
    args: [...(npm ? [npm] : []), 'ci'],
    cwd: root,
    screen,
    mend: 'check that the npm registry can be reached, then run this again',
  });
};

/** @param {Place} place */
export const buildGuestAgent = async ({root, screen}) => {
  const machine = guestMachine();
  const output = join(root, 'dist', 'guest');
  const program = join(output, `agent-${machine}`);
  await unlessStamped(stampFor(program), fingerprint(root, ['guest']), () =>
    runStep({
      title: 'Guest agent (compiled for the guest, static)',
      file: join(root, 'guest', 'build.sh'),
      args: [machine, output],
      cwd: root,
      screen,
      mend: `see the compiler’s words above; ${setupScript()} --build installs the compiler`,
    }),
  );
};

/** @param {Place} place */
export const buildCli = async ({root, screen}) => {
  await unlessStamped(stampFor(join(root, 'dist', 'main.js')), fingerprint(root, BUILD_INPUTS), () =>
    runStep({
      title: 'Build (dist/)',
      file: process.execPath,
      args: [join(root, 'scripts', 'build.mjs')],
      cwd: root,
      screen,
      mend: 'npm run build shows the whole of it',
    }),
  );
};

/**
 * @param {Place} place
 * @param {readonly string[]} languages
 */
export const setUp = async ({root, screen}, languages) => {
  const wanted = languages.flatMap((language) => ['--language', language]);
  await runStep({
    title: `Guest kernel and images (${languages.join(', ')})`,
    file: process.execPath,
    args: [join(root, 'bin', 'run.js'), 'setup', '--yes', '--no-boot', '--log-format', 'pretty', ...wanted],
    cwd: root,
    screen,
    quietWhenSilent: true,
    mend: 'mend what is said above, then run this again',
  });
};

/** How the guest's processor is called, as `uname -m` does. */
export const guestMachine = () => (process.arch === 'arm64' ? 'aarch64' : 'x86_64');

/**
 * A stamp beside the file that it vouches for: without the file it counts for nothing.
 * @param {string} file
 */
const stampFor = (file) => {
  const stamp = `${file}.stamp`;
  return {
    read: () => (existsSync(file) && existsSync(stamp) ? readFileSync(stamp, 'utf8').trim() : undefined),
    /** @param {string} value */
    write: (value) => {
      mkdirSync(dirname(stamp), {recursive: true});
      writeFileSync(stamp, `${value}\n`);
    },
    clear: () => rmSync(stamp, {force: true}),
  };
};

/**
 * @param {string} file
 * @param {readonly string[]} args
 */
const succeeds = (file, args) => {
  try {
    execFileSync(file, args, {stdio: 'ignore'});
    return true;
  } catch {
    // Whatever is wrong: the step itself runs next and says it.
    return false;
  }
};
