import { createReadStream } from 'node:fs'
import { errnoOf } from '../base/errno.ts'
import { HoldfastError } from '../base/errors.ts'
import { providerOf } from '../protocol/providers/address.ts'
import type { ProviderDescription, SecretField } from '../protocol/providers/description.ts'
import { providers } from '../protocol/providers/registry.ts'
import { visibleText } from '../protocol/visible-text.ts'
import { readBounded } from './bounded.ts'
import { takeVariable } from './variables.ts'

/** More than any key has. */
const maxFileBytes = 64 * 1024

type Taken = ReadonlyMap<string, string | undefined>

type Secrets = Readonly<Record<string, string>>

/**
 * What the storage at an address asks for, by the names of its secrets, from the environment. The variables of all providers are removed
 * from it; those of others are dropped. Errors: arguments, for a file that cannot be read.
 */
export async function readStorageSecrets(repository: string): Promise<Secrets> {
  return (await readBothStorageSecrets(repository)).storage
}

/**
 * The same for two repositories.
 * @param from the address of a sync's source: it takes its secrets from variables with FROM in them, and from the ordinary ones where these cannot
 * be meant for the destination, because that is another kind of storage.
 */
export async function readBothStorageSecrets(repository: string, from?: string): Promise<{ readonly storage: Secrets; readonly from: Secrets }> {
  const names = variablesOfAll()
  const taken: Taken = new Map(names.map((variable) => [variable, takeVariable(variable)]))
  const takenFrom: Taken = new Map(names.map((variable) => [variable, takeVariable(fromVariable(variable))]))
  const [own, other] = [providerAt(repository), from === undefined ? undefined : providerAt(from)]
  return { storage: await secretsOf(own, taken), from: await secretsOf(other, other === own ? takenFrom : merged(takenFrom, taken)) }
}

/** `HOLDFAST_WEBDAV_PASSWORD` is `HOLDFAST_FROM_WEBDAV_PASSWORD`, `AWS_ACCESS_KEY_ID` is `HOLDFAST_FROM_AWS_ACCESS_KEY_ID`. */
function fromVariable(variable: string): string {
  return `HOLDFAST_FROM_${variable.replace(/^HOLDFAST_/, '')}`
}

function providerAt(address: string): ProviderDescription | undefined {
  return providerOf(address.replace(/^(?:faulty\+)+/, ''))
}

function merged(first: Taken, second: Taken): Taken {
  return new Map([...first].map(([name, value]) => [name, value ?? second.get(name)]))
}

async function secretsOf(provider: ProviderDescription | undefined, taken: Taken): Promise<Secrets> {
  const found: Record<string, string> = {}
  for (const secret of provider?.secrets ?? []) {
    const value = first(secret.variables, taken)?.value ?? (await contentOf(secret, taken))
    if (value !== undefined) found[secret.name] = value
  }
  return found
}

function variablesOfAll(): readonly string[] {
  return providers.flatMap(({ secrets }) => secrets.flatMap(({ variables, fileVariables = [] }) => [...variables, ...fileVariables]))
}

function first(variables: readonly string[], taken: Taken): { readonly variable: string; readonly value: string } | undefined {
  return variables.flatMap((variable) => {
    const value = taken.get(variable)
    return value === undefined ? [] : [{ variable, value }]
  })[0]
}

async function contentOf({ fileVariables = [] }: SecretField, taken: Taken): Promise<string | undefined> {
  const named = first(fileVariables, taken)
  if (!named) return undefined
  const tooLong = (): HoldfastError => new HoldfastError('arguments', `The file that ${named.variable} names is no key: it holds more than 64 KiB.`)
  try {
    return Buffer.from(await readBounded(createReadStream(named.value), maxFileBytes, tooLong)).toString('utf8')
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause
    throw unreadable(named, cause)
  }
}

function unreadable({ variable, value }: { readonly variable: string; readonly value: string }, cause: unknown): HoldfastError {
  const shown = visibleText(value.slice(0, 200))
  const words: Readonly<Record<string, readonly [said: string, advice: string]>> = {
    ENOENT: ['does not exist', 'Correct the path, or put the file there.'],
    EACCES: ['may not be read by you', 'Allow your user to read it.'],
    EISDIR: ['is a folder', 'Give the path of the key file itself.'],
  }
  const [said, advice] = words[errnoOf(cause) ?? ''] ?? ['cannot be read', 'Look at the file and its disk.']
  return new HoldfastError('arguments', `The file that ${variable} names ${said}: ${shown}`, { cause, data: { advice } })
}
