/** What `agent doctor` tells of krunvm. */
import {toAgentError} from '../../model/errors.js';
import type {Finding, LauncherReport, LaunchOptions} from '../launcher.js';
import {requireNoNetwork} from './isolation.js';
import {findKrunvm, type KrunHost, type KrunvmLauncherOptions, prepareKrunHost} from './krun-host.js';
import {KVM, kvmFinding, proveByBooting, toFinding} from './proof.js';
import {askVersions, isOld, tooOld, type Version} from './tools.js';

export const examineKrunvm = async (
  options: KrunvmLauncherOptions,
  launch: LaunchOptions,
): Promise<LauncherReport> => {
  const findings = await lookAtAll(options, launch);
  const usable = findings.every((finding) => !isHopeless(finding));
  const booted = findings.at(-1)?.subject.startsWith('boot') === true;
  const accelerator = process.platform === 'darwin' ? 'hvf' : 'kvm';
  return {
    launcher: 'krunvm',
    usable: usable && booted,
    accelerator: usable && booted ? accelerator : null,
    findings,
  };
};

const NETWORK = 'no network for --network none';

/** Whether access to /dev/kvm is enough, only a boot tells. */
const isHopeless = ({ok, subject}: Finding): boolean => !ok && subject !== NETWORK && subject !== KVM;

const lookAtAll = async (options: KrunvmLauncherOptions, launch: LaunchOptions): Promise<Finding[]> => {
  try {
    const krunvm = await findKrunvm(options.env);
    const host = await prepareKrunHost(options);
    const findings = [
      ...(await lookAtVersions(host, launch)),
      ...[kvmFinding(krunvm)].filter((finding) => finding !== null),
      await lookAtIsolation(host, launch),
    ];
    return findings.some(isHopeless)
      ? findings
      : [...findings, await proveByBooting({host, options, launch, afresh: true})];
  } catch (error) {
    launch.signal.throwIfAborted();
    return [toFinding('krunvm', error)];
  }
};

const lookAtVersions = async (host: KrunHost, {signal}: LaunchOptions): Promise<Finding[]> => {
  const {krunvm, env, asRoot} = host;
  try {
    return (await askVersions({asRoot, program: krunvm.program, env, signal})).map(describe);
  } catch (error) {
    if (toAgentError(error).code === 'INTERRUPTED') throw error;
    return [toFinding('krunvm', error)];
  }
};

const describe = (version: Version): Finding => {
  const {name, found, minimum} = version;
  if (isOld(version)) return toFinding(name, tooOld(version));
  return {ok: true, subject: name, seen: found ?? `its version is not known; ${minimum} is needed`};
};

const lookAtIsolation = async ({krunvm, env}: KrunHost, {signal}: LaunchOptions): Promise<Finding> => {
  try {
    await requireNoNetwork(krunvm, {env, signal});
    const seen = krunvm.platform === 'darwin' ? 'a sandbox profile' : 'an empty network namespace';
    return {ok: true, subject: NETWORK, seen};
  } catch (error) {
    if (toAgentError(error).code === 'INTERRUPTED') throw error;
    return toFinding(NETWORK, error);
  }
};
