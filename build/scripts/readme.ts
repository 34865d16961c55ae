import { readFileSync, writeFileSync } from 'node:fs'
import { providers } from '../../engine/protocol/providers/registry.ts'
import { withDestinations } from './destination-table.ts'
import { root } from './root.ts'

/** Brings the tables of README.md up to date that are made from the code: `npm run readme`. */
const path = `${root}/README.md`
writeFileSync(path, withDestinations(readFileSync(path, 'utf8'), providers))
