// Starts a bundle of the bench as those of the product are started: with the code that V8 made of it before, under the
// flags that commands have.
import { basename, join } from 'node:path';
import { startCommand } from '../server/src/shell/code-cache.ts';

startCommand(join(__dirname, `${basename(__filename, '.js')}.bundle.js`), '');
