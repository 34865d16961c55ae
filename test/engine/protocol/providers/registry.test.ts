import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { implementations } from '../../../../engine/backend/registry.ts'
import { readAddress, writeAddress } from '../../../../engine/protocol/providers/address.ts'
import type { AddressField, ProviderDescription } from '../../../../engine/protocol/providers/description.ts'
import { providers } from '../../../../engine/protocol/providers/registry.ts'
import { checkedValue, checkedValues, valueProblems } from '../../../../engine/protocol/providers/values.ts'

test('every description has an implementation, and the other way round', () => {
  expect(Object.keys(implementations).sort()).toEqual(providers.map(({ id }) => id).sort())
})

test('no two providers share an id, a scheme or an environment variable', () => {
  for (const all of [providers.map(({ id }) => id), providers.flatMap(({ schemes }) => schemes), providers.flatMap(({ secrets }) => secrets.flatMap(({ variables, fileVariables = [] }) => [...variables, ...fileVariables]))]) {
    expect(all).toEqual([...new Set(all)])
  }
})

describe.each(providers)('$id', (provider) => {
  test('is implemented', async () => {
    expect(await implementations[provider.id]?.()).toMatchObject({ open: expect.any(Function) as unknown })
  })

  test('says all that people need', () => {
    const read = readAddress(provider.example.replaceAll('…', 'x'))
    expect(read).toMatchObject({ type: 'provider', provider: { id: provider.id } })
    expect(provider.summary.length).toBeGreaterThan(10)
    for (const field of provider.fields) expect(field.problem, field.name).toMatch(/\.$/)
    expect(provider.fields.some(({ name }) => name === 'account')).toBe(provider.signIn !== undefined)
    for (const field of provider.fields) expect((field.choices ?? []).length > 0, field.name).toBe(field.kind === 'choice')
    expect(new Set([...provider.fields, ...provider.secrets].map(({ name }) => name)).size).toBe(provider.fields.length + provider.secrets.length)
  })

  test('its presets are values of its fields', () => {
    for (const { values } of provider.presets ?? []) {
      for (const [name, value] of Object.entries(values)) {
        const field = provider.fields.find((one) => one.name === name)
        expect(field && (value === '' || checkedValue(field, value) !== undefined), `${name}=${value}`).toBe(true)
      }
    }
  })

  test('an address of any values is read back as they are', () => {
    fc.assert(fc.property(valuesOf(provider), (typed) => {
      fc.pre(Object.keys(valueProblems(provider, typed)).length === 0)
      const values = checkedValues(provider, typed)
      const address = writeAddress(provider, values)
      expect(readAddress(address), address).toEqual({ type: 'provider', provider, values })
      const again = readAddress(address)
      if (again.type === 'provider') expect(writeAddress(provider, again.values)).toBe(address)
    }), { numRuns: 300 })
  })

  test('any text after its scheme is read or refused in words that do not repeat it', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
      const read = readAddress(`${provider.schemes[0]}:${provider.form === 'server' ? '//' : ''}geheim:${text}`)
      if (read.type === 'wrong') expect(read.words).not.toContain('geheim')
    }), { numRuns: 300 })
  })
})

test('every choice that may be left open says what holds then', () => {
  const open = providers.flatMap(({ id, fields }) => fields.filter(({ kind, required }) => kind === 'choice' && !required).map(({ name, usual }) => [id, name, usual]))
  expect(open.length).toBeGreaterThan(0)
  expect(open.filter(([, , usual]) => !usual)).toEqual([])
})

function valuesOf({ fields }: ProviderDescription): fc.Arbitrary<Record<string, string>> {
  return fc.record(Object.fromEntries(fields.map((field) => [field.name, textOf(field)])), { requiredKeys: fields.filter(({ required }) => required).map(({ name }) => name) })
}

function textOf(field: AddressField): fc.Arbitrary<string> {
  const name = fc.oneof(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }), fc.constantFrom('a b', 'é?#%', 'x&y=z', 'ünder/wegs', '100%', 'a:b@c'))
  switch (field.kind) {
    case 'text':
      return field.pattern ? fc.oneof(fc.stringMatching(field.pattern), name) : name
    case 'host':
      return fc.constantFrom('example.org', 'nas.local', '127.0.0.1', '[::1]', 'server-7')
    case 'port':
      return fc.integer({ min: 1, max: 65_535 }).map(String)
    case 'prefix':
      return fc.array(name, { maxLength: 3 }).map((parts) => parts.join('/'))
    case 'server-path':
      return fc.tuple(fc.constantFrom('/', '~/'), fc.array(name, { maxLength: 3 })).map(([start, parts]) => start + parts.join('/'))
    case 'origin':
      return fc.constantFrom('http://127.0.0.1:9000', 'https://s3.example.org', 'https://[::1]:8443')
    case 'url':
      return fc.constantFrom('https://cloud.example.org/remote.php/dav/files/anna', 'http://127.0.0.1:8080', 'https://example.org/a%20b/%C3%A9')
    case 'choice':
      return fc.constantFrom(...(field.choices ?? []).map(({ value }) => value))
    case 'mebibytes':
      return fc.integer({ min: field.range?.[0] ?? 1, max: field.range?.[1] ?? 1000 }).map((size) => `${size}M`)
    case 'file':
      return fc.constantFrom('/home/anna/.ssh/id_ed25519', '/home/anna/mein Schlüssel?')
  }
}
