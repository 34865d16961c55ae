import * as v from 'valibot'
import { HoldfastError } from '../base/errors.ts'
import type { SignInKind } from '../protocol/providers/description.ts'
import { serviceName, type SignInService } from './services.ts'

/** By what a service knows the app that somebody signs in with. */
export interface AppKey {
  readonly id: string
  /** Where the service wants one. Of a desktop app it protects nothing: whoever has the app has it. */
  readonly secret?: string
}

const keyText = v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,512}$/))
const builtKeys = v.partial(v.object(v.entriesFromList(['dropbox', 'google', 'microsoft', 'box'], v.object({ id: keyText, secret: v.exactOptional(keyText) }))))

/** The keys that a build carries (app-keys.json), by service. */
export type BuiltKeys = v.InferOutput<typeof builtKeys>

/** Errors: arguments (the file of a build is not what it should be). */
export function parseBuiltKeys(text: string): BuiltKeys {
  try {
    return v.parse(builtKeys, JSON.parse(text))
  } catch {
    throw new HoldfastError('arguments', 'The app keys that this Holdfast was built with (app-keys.json) cannot be understood.')
  }
}

/** Environment variables that name a key of one's own; they count before the build's. */
function keyVariables(kind: SignInKind): { readonly id: string; readonly secret: string } {
  const name = kind.toUpperCase()
  return { id: `HOLDFAST_${name}_APP_KEY`, secret: `HOLDFAST_${name}_APP_SECRET` }
}

/** Errors: unsupported (neither the build nor the environment has a key), arguments (a key that cannot be one, or without its secret). */
export function appKeyFor(service: SignInService, environment: Readonly<Record<string, string | undefined>>, built: BuiltKeys): AppKey {
  const variables = keyVariables(service.kind)
  const id = environment[variables.id]
  const secret = environment[variables.secret]
  const key = id === undefined || id === '' ? built[service.kind] : { id, ...(secret === undefined || secret === '' ? {} : { secret }) }
  if (!key) throw missing(service.kind)
  for (const text of [key.id, key.secret]) {
    if (text !== undefined && !v.is(keyText, text)) throw new HoldfastError('arguments', `${variables.id} or ${variables.secret} holds blanks or other characters that no key has.`)
  }
  if (service.secret === 'sent' && key.secret === undefined) {
    throw new HoldfastError('arguments', `${service.name} also wants the secret of the app: set ${variables.secret}.`, { data: { reason: 'app-secret' } })
  }
  return key
}

function missing(kind: SignInKind): HoldfastError {
  const { id } = keyVariables(kind)
  return new HoldfastError('unsupported', `This Holdfast was built without an app key for ${serviceName(kind)}, so nobody can sign in with it.`, {
    data: { reason: 'app-key', service: kind, advice: `Register an app of your own (README, "Signing in with an app of your own") and set ${id}.` },
  })
}
