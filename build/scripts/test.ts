import { check } from './check.ts'
import { runInOpenPlace } from './open-place.ts'
import { setUpForTests } from './setup.ts'
import { printSum, step, sum, vitest, type Counts } from './steps.ts'

/**
 * Everything that must hold: sets the machine up, builds, checks, and runs every group of tests. The last line is the sum
 * over all of them; a step that could not run counts as a failure.
 */
async function testAll(): Promise<Counts> {
  await setUpForTests()
  // One S3 server serves every group, and ends with this process (test/servers/s3.ts).
  process.env['HOLDFAST_TEST_RUN'] = String(process.pid)
  const built = await step('build', ['node', 'build/scripts/build.ts'])
  const build: Counts = built ? { passed: 0, failed: 0, failures: [] } : { passed: 0, failed: 1, failures: ['✗ build'] }
  return sum([build, await check(), await vitest('faults'), await vitest('e2e', ['node', 'build/scripts/desktop.ts'])])
}

async function run(): Promise<number> {
  let counts: Counts
  try {
    counts = await testAll()
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    counts = { passed: 0, failed: 1, failures: [`✗ ${message}`] }
  }
  printSum(counts)
  return counts.failed > 0 ? 1 : 0
}

process.exitCode = runInOpenPlace('build/scripts/test.ts') ?? (await run())
