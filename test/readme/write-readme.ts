/** `npm run readme`: writes the generated parts of README.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { README_PATH, withGeneratedParts } from './readme-parts.js';

writeFileSync(README_PATH, withGeneratedParts(readFileSync(README_PATH, 'utf8')));
