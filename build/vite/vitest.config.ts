import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'
import { makeMessages } from '../scripts/messages.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

await makeMessages()

/** Whoever waits for a state of things gets it on a slow machine too; vitest itself gives a second, which a busy disk takes. */
const patience = { poll: { timeout: 30_000 } }

// Each run of a backup or restore starts threads that read the sources anew: with the cache, in a third of the time.
process.env['NODE_COMPILE_CACHE'] ??= join(root, 'node_modules/.cache/compile')

/**
 * Three groups of tests, each run by name (`--project`): `fast` belongs to `npm run check`, `faults` are the slower
 * fault tables and kill cycles, `e2e` drives the real app and wants a display and a session bus.
 */
export default defineConfig({
  root,
  plugins: [svelte({ configFile: false, compilerOptions: { runes: true } })],
  resolve: { conditions: ['browser'] },
  test: {
    reporters: process.env['HOLDFAST_TEST_REPORT'] ? ['default', 'json'] : ['default'],
    ...(process.env['HOLDFAST_TEST_REPORT'] ? { outputFile: { json: process.env['HOLDFAST_TEST_REPORT'] } } : {}),
    projects: [
      {
        extends: true,
        test: {
          name: 'fast',
          include: ['test/**/*.test.ts'],
          exclude: ['test/{faults,e2e,soak}/**'],
          pool: 'forks',
          // Vitest would leave one processor idle; a good part of the time is waiting.
          maxWorkers: 2,
          expect: patience,
          // What takes half a minute on a machine with nothing else to do takes its time on others.
          testTimeout: 150_000,
          hookTimeout: 150_000
        }
      },
      {
        extends: true,
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          pool: 'forks',
          // Much of their time is waiting.
          maxWorkers: 2,
          expect: patience,
          testTimeout: 300_000,
          hookTimeout: 240_000
        }
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          pool: 'forks',
          fileParallelism: false,
          expect: patience,
          testTimeout: 240_000,
          hookTimeout: 240_000
        }
      }
    ]
  }
})
