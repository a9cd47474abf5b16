#!/usr/bin/env node
import { main } from './main.js';

// Not awaited: the bundle is CommonJS. A rejection is an uncaught exception all the same.
void main(process.argv.slice(2));
