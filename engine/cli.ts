#!/usr/bin/env node
/** Entry of the command line: the same commands as the app's engines run, in one process, without Electron. */
import { enableCompileCache } from 'node:module'

enableCompileCache()
const { main } = await import('./cli/main.ts')
await main(process.argv.slice(2))
