import {describe, expect, it} from 'vitest';
import type {KvmAccess} from '../../../src/launcher/common/kvm-access.js';
import {chooseMachine} from '../../../src/launcher/qemu/choose-machine.js';
import {listCandidates} from '../../../src/launcher/qemu/machine/candidates.js';
import type {ProbeResult} from '../../../src/launcher/qemu/probe.js';

const candidates = listCandidates({platform: 'linux', architecture: 'x86_64'});
const works: ProbeResult = {ok: true, kernel: '6.1', elapsedMs: 300};
const hangs: ProbeResult = {ok: false, seen: 'nothing heard from the guest within 6 s'};

const choose = async (kvmAccess: KvmAccess, results: Readonly<Record<string, ProbeResult>>) => {
  const steps: string[] = [];
  const probed: [string, number | null][] = [];
  const choice = await chooseMachine({
    candidates,
    kvmAccess,
    progress: {step: (text) => steps.push(text), detail: () => {}},
    probe: async ({name}, group) => {
      probed.push([name, group]);
      return results[name] ?? hangs;
    },
  });
  return {name: choice.candidate.name, group: choice.kvmGroup, findings: choice.findings, probed, steps};
};

const allowed: KvmAccess = {ok: true, group: 104};

describe('chooseMachine', () => {
  it('takes the first machine that boots, and says that it tried', async () => {
    const choice = await choose(allowed, {'kvm microvm': works});
    expect(choice).toMatchObject({name: 'kvm microvm', group: 104, probed: [['kvm microvm', 104]]});
    expect(choice.findings).toEqual([
      {ok: true, subject: 'boot with kvm microvm', seen: 'kernel 6.1 after 300 ms'},
    ]);
    expect(choice.steps).toEqual([expect.stringContaining('kvm')]);
  });

  it('tries the next machine', async () => {
    expect(await choose(allowed, {'kvm q35': works})).toMatchObject({name: 'kvm q35', group: 104});
  });

  it('ends up without acceleration where KVM opens and then hangs, and says so', async () => {
    const {name, group, findings} = await choose(allowed, {});
    expect({name, group}).toEqual({name: 'tcg', group: null});
    expect(findings).toEqual([
      expect.objectContaining({ok: false, subject: 'boot with kvm microvm', seen: hangs.seen}),
      expect.objectContaining({ok: false, subject: 'boot with kvm q35', seen: hangs.seen}),
    ]);
  });

  it('does not probe what it may not open', async () => {
    const {name, probed, steps, findings} = await choose(
      {ok: false, seen: 'not there', mend: 'enable it'},
      {},
    );
    expect({name, probed, steps}).toEqual({name: 'tcg', probed: [], steps: []});
    expect(findings).toEqual([{ok: false, subject: '/dev/kvm', seen: 'not there', mend: 'enable it'}]);
  });
});
