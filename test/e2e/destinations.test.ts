import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readAddress } from '../../engine/protocol/providers/address.ts'
import { providers } from '../../main/api/providers.ts'
import { destinationPlaces } from '../servers/destinations.ts'
import { launchApp } from './harness/app.ts'
import { freshFolder } from './harness/folder.ts'
import { User } from './harness/user.ts'

const password = 'tulip gravel omen lamp'
/** Whoever has to be signed in to is in sign-in.test.ts. */
const withForms = providers.filter(({ id, signIn }) => signIn === undefined && destinationPlaces[id] !== undefined)

test.each(withForms)('$name: the form of its description leads to a backup, and back from it', async (provider) => {
  using folder = freshFolder()
  writeFileSync(join(folder.made('tree'), 'one.txt'), `for ${provider.id}`)
  await using place = await destinationPlaces[provider.id]?.()
  if (!place) throw new Error('no server')
  const read = readAddress(place.address(place.origin))
  if (read.type !== 'provider') throw new Error('no address')
  await using app = await launchApp({ environment: place.environment(place.origin) })
  const user = await User.of(app)
  await user.goTo('Backups')
  await user.openForm()
  await user.fillJob({ name: 'docs', sources: [folder.path('tree')], destination: { type: 'provider', provider, values: read.values, keys: place.credentials }, password })
  await user.click('Test connection')
  await user.sees('Connection works')
  await app.screenshot(`destination-${provider.id}`)
  await user.click('Create job')
  await user.page.getByRole('heading', { name: 'docs', level: 1 }).waitFor()
  expect(await user.backUpNow()).toBe('Backed up')
  await user.click('Restore files')
  await user.restoreTo(folder.made('back'))
  expect(readFileSync(folder.path('back/tree/one.txt'), 'utf8')).toBe(`for ${provider.id}`)
}, 120_000)
