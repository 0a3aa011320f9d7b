/**
 * A process that works on a store beside others: `contender.ts DATABASE JOB`.
 * insert N: stores a VM. count N: adds 1 to a VM's CPUs N times. claim: takes a VM, or says who has it. hold NAME: takes a lock and keeps it.
 */
import {identifyProcess, isAlive} from '../../src/process/identity.js';
import {withLock} from '../../src/state/lock.js';
import {openStore} from '../../src/state/vm-store.js';
import {claim} from '../../src/vm/lifecycle.js';
import {idNumber, someRecord} from '../support/some-records.js';

const [path = '', job = '', argument = ''] = process.argv.slice(2);
const store = openStore(path, process.getuid?.() ?? 0);
const self = identifyProcess(process.pid) ?? {pid: process.pid, startedAt: ''};
const say = (text: string): boolean => process.stdout.write(`${text}\n`);
const forEver = (): Promise<never> => new Promise(() => setInterval(() => {}, 1_000));

if (job === 'insert') {
  store.insert(someRecord({id: idNumber(Number(argument))}));
  say(String(store.list().records.length));
} else if (job === 'count') {
  for (let n = 0; n < Number(argument); n++)
    store.update(idNumber(0), (record) => ({...record, cpus: record.cpus + 1}));
} else if (job === 'claim') {
  try {
    store.update(idNumber(0), (record) => claim(record, 'booting', {self, isAlive}));
    say('won');
  } catch (error) {
    say(String(error));
  }
  await forEver();
} else if (job === 'hold') {
  const {database} = store;
  const {signal} = new AbortController();
  await withLock({database, name: argument, self, isAlive, timeoutMs: 1_000, signal}, () => {
    say('held');
    return forEver();
  });
}
