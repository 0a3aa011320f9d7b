#!/usr/bin/env node
// Runs src/ through tsx; start it with `npm run dev -- vm list`.
import {readFileSync} from 'node:fs';
import {settings} from '@oclif/core/settings';
import {start} from '../src/main.ts';

settings.enableAutoTranspile = false;
const pjson = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
pjson.oclif.commands = './src/commands';
await start(import.meta.url, {pjson});
