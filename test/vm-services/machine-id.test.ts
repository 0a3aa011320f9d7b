import {expect, it} from 'vitest';
import {machineIdOf} from '../../src/vm/machine-id.js';

const record = {id: 'python-abc12345', createdAt: '2026-01-01T00:00:00.000Z'};

it('is a UUID of version 4 as machine-id(5) writes it', () => {
  for (let i = 0; i < 200; i += 1)
    expect(machineIdOf('/state', {...record, id: `vm-${i}`})).toMatch(
      /^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$/,
    );
});

it('stays the same for a VM', () => {
  expect(machineIdOf('/state', record)).toBe(machineIdOf('/state', {...record}));
});

it('is another for every VM, also one that has the name of one before', () => {
  const ids = [
    machineIdOf('/state', record),
    machineIdOf('/elsewhere', record),
    machineIdOf('/state', {...record, id: 'python-abc12346'}),
    machineIdOf('/state', {...record, createdAt: '2026-01-01T00:00:00.001Z'}),
  ];
  expect(new Set(ids).size).toBe(4);
});
