import type {AgentError} from '../model/errors.js';
import {errorFields} from './error.js';
import type {LogEvent} from './log-event.js';

export const volumeRemovedEvent = (name: string, isGone: boolean): LogEvent => ({
  level: 'info',
  message: 'volume removed',
  fields: {volume: name, ...(isGone ? {already_gone: true} : {})},
});

export const volumeErrorEvent = (name: string, error: AgentError): LogEvent => ({
  level: 'error',
  message: 'volume remove failed',
  fields: {volume: name, error: error.message, ...errorFields(error)},
});
