import { oldIndex, pagedScenarios } from '../model/listing-scenarios.ts'
import { runAtRandom } from '../model/scheduler.ts'
import { explore } from '../model/search.ts'
import { protocolScenarios, unusedAndLive } from '../model/scenarios.ts'
import { syncScenarios } from '../model/sync-scenarios.ts'

export interface ProtocolSoak {
  readonly scenarios: readonly { readonly name: string, readonly states: number, readonly interleavings: number, readonly complete: boolean }[]
  readonly randomRuns: number
  readonly requests: number
}

/**
 * The long version of the scheduler tests: half the time for exhaustive searches, half for random runs with reads as yield points.
 * Throws the first violation with its schedule and seed.
 */
export async function soakProtocol(durationMs: number, seed: number, print: (line: string) => void): Promise<ProtocolSoak> {
  const scenarios: { name: string, states: number, interleavings: number, complete: boolean }[] = []
  const searched = [...protocolScenarios.filter(({ small }) => small), ...protocolScenarios.filter(({ small }) => !small), ...pagedScenarios, oldIndex(), ...syncScenarios]
  const searchedMs = performance.now() + durationMs / 2
  for (const [index, scenario] of searched.entries()) {
    // What a small world leaves of its share is for those that follow.
    const limitMs = (searchedMs - performance.now()) / (searched.length - index)
    const { violation, states, executions, complete } = await explore(scenario, { limitMs, soloEvery: 5 })
    if (violation) throw violation
    scenarios.push({ name: scenario.name, states, interleavings: executions, complete })
    print(`${scenario.name}: ${states} states, ${executions} interleavings${complete ? ', all of them' : ''}`)
  }
  const worlds = [...searched, unusedAndLive]
  const endMs = performance.now() + durationMs / 2
  let randomRuns = 0
  let requests = 0
  for (; performance.now() < endMs; randomRuns++) {
    const world = worlds[randomRuns % worlds.length] ?? unusedAndLive
    try {
      requests += await runAtRandom({ ...world, fine: randomRuns % 2 === 0 }, seed + randomRuns)
    } catch (error) {
      throw new Error(`${world.name}, seed ${seed + randomRuns}, run ${randomRuns}`, { cause: error })
    }
    if (randomRuns % 1000 === 999) print(`${randomRuns + 1} random runs, ${requests} requests`)
  }
  return { scenarios, randomRuns, requests }
}
