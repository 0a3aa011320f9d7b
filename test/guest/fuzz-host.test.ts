import {expect, it} from 'vitest';
import {runCampaign} from './fuzz/campaign.js';

it('takes damaged frames of guests and of clients without harm', {timeout: 120_000}, async () => {
  const figures = await runCampaign({frames: 20_000, seed: 20_261_121});
  expect(figures.frames).toBeGreaterThan(figures.damaged);
  expect(figures.archives).toBeGreaterThan(figures.whole);
  expect(figures.whole).toBeGreaterThan(0);
  // A seed that leads nowhere would test nothing.
  expect(Object.keys(figures.endings)).toEqual(expect.arrayContaining(['GUEST_FAILED', 'GUEST_PROTOCOL']));
});
