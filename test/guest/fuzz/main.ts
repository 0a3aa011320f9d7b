/** The campaign as a process: `main.mjs FRAMES SEED` prints its figures as JSON, or the finding. */
import {runCampaign} from './campaign.js';

const [frames, seed] = process.argv.slice(2).map(Number);
try {
  console.log(JSON.stringify(await runCampaign({frames: frames ?? 1, seed: seed ?? 1})));
  process.exit(); // what cases left to timers
} catch (error) {
  console.error(error);
  process.exit(1);
}
