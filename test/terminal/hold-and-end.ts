/** Holds the terminal as a shell does, draws on another screen, and ends as it is told. Each key it shows as a number. */
import {once} from 'node:events';
import {outliveTerminal} from '../../src/gone-terminal.js';
import {findTerminal} from '../../src/terminal/host-terminal.js';

outliveTerminal();

const draw = async (chunk: Buffer): Promise<void> => {
  process.stdout.write(chunk);
};
const held = findTerminal()?.hold({write: draw, close: async () => {}});
if (!held) throw new Error('there is no terminal');
const say = (text: string): Promise<void> => held.screen.write(Buffer.from(text));

await say(`\u001b[?1049h\u001b[?25l\u001b[?1000h\u001b[2J\u001b[Hpid ${process.pid} on another screen`);
held.onResize(({rows, columns}) => void say(` [${rows} ${columns}]`));

const [how] = process.argv.slice(2);
if (how === 'exit') process.exit(3);
if (how === 'throw') throw new Error('thrown in raw mode');
if (how === 'reject') void Promise.reject(new Error('rejected in raw mode'));

process.on('SIGHUP', () => {
  held.release(false);
  process.exit(129);
});
void held.left.then((end) => {
  held.release(false);
  console.log(`left: ${end}`);
  process.exit(end === 'gone' ? 129 : 0);
});
for (;;) {
  const [chunk] = (await once(held.typed, 'data')) as [Buffer];
  if (chunk.toString() === 'q') break;
  await say([...chunk].map((byte) => ` ${byte.toString(16)}`).join(''));
}
held.release(true);
