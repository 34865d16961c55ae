import { fixedCredentials } from '../../../engine/backend/credentials.ts'
import { openBackend } from '../../../engine/backend/open.ts'
import { systemClock } from '../../../engine/base/clock.ts'
import { systemRandom } from '../../../engine/repository/crypto.ts'
import { initRepository } from '../../../engine/repository/repository.ts'
import { World } from '../../fixtures/world.ts'

/** A world whose repository exists already, with a key that costs next to nothing to open. */
export async function quickWorld(repository?: string): Promise<World> {
  const world = new World(repository)
  const signal = new AbortController().signal
  await using backend = await openBackend(world.repository, { credentials: fixedCredentials({}), signal, create: true })
  await initRepository(backend, world.password, { arbiter: 'cas', clock: systemClock, random: systemRandom, cost: { N: 1024, r: 8, p: 1 } }, signal)
  return world
}
