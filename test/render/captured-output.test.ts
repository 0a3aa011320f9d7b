import {expect, it} from 'vitest';
import {outputFields} from '../../src/render/captured-output.js';

it('is text where it is UTF-8', () => {
  expect(outputFields('stdout', Buffer.from('grüße\n\u0001'))).toEqual({stdout_text: 'grüße\n\u0001'});
});

it('is base64 where it is not', () => {
  expect(outputFields('stderr', Buffer.from([0xff, 0xfe]))).toEqual({stderr_base64: '//4='});
});

it('is base64 where text would be six times as long', () => {
  const content = Buffer.alloc(2_000_000, 1);
  expect(outputFields('stdout', content)).toEqual({stdout_base64: content.toString('base64')});
});
