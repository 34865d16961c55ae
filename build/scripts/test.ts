import { check } from './check.ts'
import { runInOpenPlace } from './open-place.ts'
import { setUpForTests } from './setup.ts'
import { step, vitest, type Counts } from './steps.ts'

/**
 * Everything that must hold: sets the machine up, builds, checks, and runs every group of tests. The last line is the sum
 * over all of them; a step that could not run counts as a failure.
 */
async function testAll(): Promise<Counts> {
  await setUpForTests()
  // One S3 server serves every group, and ends with this process (test/servers/s3.ts).
  process.env['HOLDFAST_TEST_RUN'] = String(process.pid)
  const built = await step('build', ['node', 'build/scripts/build.ts'])
  const groups = [{ passed: 0, failed: built ? 0 : 1 }, await check(), await vitest('faults')]
  groups.push(await vitest('e2e', ['node', 'build/scripts/desktop.ts']))
  return groups.reduce((sum, one) => ({ passed: sum.passed + one.passed, failed: sum.failed + one.failed }))
}

async function run(): Promise<number> {
  let counts: Counts
  try {
    counts = await testAll()
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    counts = { passed: 0, failed: 1 }
  }
  console.log(`${counts.passed} passed, ${counts.failed} failed`)
  return counts.failed > 0 ? 1 : 0
}

process.exitCode = runInOpenPlace('build/scripts/test.ts') ?? (await run())
