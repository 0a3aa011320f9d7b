import {expect, it} from 'vitest';
import {explainUnknown} from '../src/usage-errors.js';

const commands: readonly string[] = ['vm:exec', 'vm:stop', 'image:list'];
const isCommand = (id: string): boolean => commands.includes(id);

it.each([
  ['vm:exec:first', 'a VM is named with --vm: agent vm exec --vm first'],
  ['vm:exec:first:ls:-la', "a VM is named with --vm: agent vm exec --vm first --cmd 'ls -la'"],
  ['vm:stop:first:second', 'a VM is named with --vm: agent vm stop --vm first'],
  ['image:list:python', 'agent image list takes no argument'],
])('%s: an argument that a command does not take is told where it belongs', (id, mend) => {
  const {code, hints} = explainUnknown(id, isCommand);
  expect({code, mend: hints[0]}).toEqual({code: 'USAGE', mend});
});

it('what is no command is told so, with the help nearest to it', () => {
  const {message, hints} = explainUnknown('vm:no:such', isCommand);
  expect(message).toBe("There is no command 'agent vm no such'.");
  expect(hints).toEqual(['see: agent vm --help']);
});
