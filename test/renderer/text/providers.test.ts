import { afterEach, expect, it, vi } from 'vitest'
import { providers as described } from '../../../main/api/providers.ts'
import english from '../../../main/text/messages/en.json' with { type: 'json' }

type Texts = typeof import('../../../renderer/text/providers.ts')

/** The window makes its texts when it is loaded. */
async function textsIn(wanted: 'en' | 'de'): Promise<Texts> {
  vi.resetModules()
  const { setLanguage } = await import('../../../main/text/language.ts')
  setLanguage(wanted)
  return import('../../../renderer/text/providers.ts')
}

afterEach(() => { vi.resetModules() })

const plain = (providers: unknown): unknown => JSON.parse(JSON.stringify(providers))

it('in English, storages are called and explained as they are described, each text of them by its message', async () => {
  const { providers } = await textsIn('en')
  expect(plain(providers)).toEqual(plain(described))
  const texts = described.flatMap(({ id, name, summary, fields, secrets }) => [
    [`provider_${id}_name`, name], [`provider_${id}_summary`, summary],
    ...fields.flatMap((field) => [[`provider_${id}_${field.name}_label`, field.label], [`provider_${id}_${field.name}_hint`, field.hint], [`provider_${id}_${field.name}_problem`, field.problem], [`provider_${id}_${field.name}_usual`, field.usual],
      ...(field.choices ?? []).map(({ value, label }) => [`provider_${id}_${field.name}_${value}`, label])]),
    ...secrets.flatMap((secret) => [[`provider_${id}_${secret.name}_label`, secret.label], [`provider_${id}_${secret.name}_hint`, secret.hint]]),
  ]).filter(([, text]) => text !== undefined)
  expect(Object.fromEntries(Object.entries(english).filter(([key]) => key.startsWith('provider_')))).toEqual(Object.fromEntries(texts))
})

it('in German, names, hints and problems are German, and what an address is made of stays', async () => {
  const { providerById } = await textsIn('de')
  const ftp = providerById('ftp')
  expect([ftp?.name, ftp?.summary, ftp?.fields[0]?.problem]).toEqual(['FTP-Server', 'Ein Server oder NAS, über FTPS zu erreichen, oder über FTP ohne Verschlüsselung', 'Der Server ist ein Name wie nas.local oder eine IP-Adresse.'])
  expect(ftp?.fields.find(({ name }) => name === 'tls')?.choices).toEqual([{ value: 'explicit', label: 'Ab der Anmeldung' }, { value: 'implicit', label: 'Ab dem ersten Byte (Port 990)' }])
  expect(ftp?.schemes).toEqual(described.find(({ id }) => id === 'ftp')?.schemes)
})
