#!/usr/bin/env node
import { PROCESS_TERMINAL } from '../support/terminal.js';
import { main } from './main.js';

process.exitCode = main(process.argv.slice(2), PROCESS_TERMINAL.print, (text) => {
	process.stderr.write(text, 'latin1');
});
