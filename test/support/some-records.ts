import type {VmRecord} from '../../src/model/vm-record.js';

/** A record that every check accepts. */
export const someRecord = (change: Partial<VmRecord> = {}): VmRecord => ({
  schema: 1,
  id: 'python-00000000',
  name: null,
  language: 'python',
  image: {reference: 'localhost/python:latest', digest: `sha256:${'0'.repeat(64)}`},
  launcher: 'qemu',
  cpus: 1,
  memoryMib: 256,
  network: 'none',
  persist: false,
  volume: null,
  diskMib: null,
  guestVolumes: false,
  ephemeral: false,
  labels: {},
  env: [],
  idleTimeoutMs: 0,
  status: 'ready',
  failure: null,
  createdAt: '2026-01-31T12:00:00.000Z',
  lastRunAt: null,
  owner: null,
  evicted: [],
  vmm: null,
  socket: null,
  ended: null,
  ...change,
});

export const idNumber = (number: number): string => `python-${String(number).padStart(8, '0')}`;
