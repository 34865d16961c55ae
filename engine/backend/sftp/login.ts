import { open } from 'node:fs/promises'
import ssh2, { type AnyAuthMethod, type AuthenticationType } from 'ssh2'
import { errnoOf } from '../../base/errno.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { Credentials } from '../credentials.ts'
import { hostAndPort, type SftpAddress } from './address.ts'

/** No private key has more. */
const longestKeyBytes = 64 * 1024

/** How to prove who one is, in the order in which it is tried. */
export interface Login {
  readonly methods: readonly AnyAuthMethod[]
  readonly keyFile?: string
}

/**
 * By a key (of the secrets, or of the address's file), a password, or both, as the server wants it; where neither is given, by the agent that
 * SSH_AUTH_SOCK names. Errors: credentials (there is none of them, or the key cannot be used).
 */
export async function loginOf(address: SftpAddress, { password, privateKey, passphrase }: Credentials, environment: NodeJS.ProcessEnv): Promise<Login> {
  const { user: username, identity } = address
  const key = privateKey ? { text: privateKey, what: 'The private key' } : identity === undefined ? undefined : { text: await keyFile(identity), what: `The key file ${identity}` }
  const methods: AnyAuthMethod[] = []
  if (key) methods.push({ type: 'publickey', username, key: usableKey(key.text, key.what, passphrase) })
  if (password) methods.push({ type: 'password', username, password }, { type: 'keyboard-interactive', username, prompt: answer(password) })
  const agent = environment['SSH_AUTH_SOCK']
  if (methods.length === 0 && agent) methods.push({ type: 'agent', username, agent })
  if (methods.length > 0) return { methods, ...(identity === undefined ? {} : { keyFile: identity }) }
  throw new HoldfastError('credentials', `Nothing is given to log in to ${hostAndPort(address)} with.`, {
    data: { advice: 'Set HOLDFAST_SFTP_PASSWORD, or give a key file (identity=…), or start an SSH agent that has your key.' },
  })
}

/**
 * Chooses the next of the methods that the server still takes. One that it does not take is passed over without being tried: servers
 * count failures. `left` are those that it named in its last refusal, if there was one.
 */
export function nextMethod(methods: AnyAuthMethod[], left: readonly AuthenticationType[] | null): AnyAuthMethod | undefined {
  for (let method = methods.shift(); method; method = methods.shift()) {
    const name = method.type === 'agent' ? 'publickey' : method.type
    // A password that was refused as such is not the answer to the same question either.
    const again = name === 'keyboard-interactive' && left?.includes('password')
    if ((left === null && name !== 'keyboard-interactive') || (left?.includes(name) && !again)) return method
  }
  return undefined
}

/** To the one question that is not shown while it is answered; other questions (a code from a telephone) have no answer here. */
function answer(password: string): (name: string, instructions: string, lang: string, prompts: readonly { readonly echo?: boolean }[], finish: (answers: string[]) => void) => void {
  return (_name, _instructions, _lang, prompts, finish) => { finish(prompts.length === 1 && prompts[0]?.echo !== true ? [password] : []) }
}

async function keyFile(path: string): Promise<string> {
  const refused = (words: string, cause?: unknown): HoldfastError => new HoldfastError('credentials', `The key file ${path} ${words}.`, { cause })
  try {
    await using file = await open(path, 'r')
    const { size } = await file.stat()
    if (size > longestKeyBytes) throw refused('is too large to be a private key')
    return await file.readFile('utf8')
  } catch (error) {
    if (error instanceof HoldfastError) throw error
    throw refused(`cannot be read (${errnoOf(error) ?? 'unknown'})`, error)
  }
}

/** Errors: credentials. */
function usableKey(text: string, what: string, passphrase: string | undefined): ssh2.ParsedKey {
  const parsed: unknown = ssh2.utils.parseKey(text.trim() + '\n', passphrase || undefined)
  const key: unknown = Array.isArray(parsed) ? parsed[0] : parsed
  if (key instanceof Error || !isKey(key)) {
    const advice = passphrase ? 'Check the passphrase.' : 'If it has a passphrase, give it (HOLDFAST_SFTP_PASSPHRASE). PuTTY\'s and OpenSSH\'s formats are read.'
    throw new HoldfastError('credentials', `${what} cannot be used.`, { ...(key instanceof Error ? { cause: new Error(key.message) } : {}), data: { advice } })
  }
  if (!key.isPrivateKey()) throw new HoldfastError('credentials', `${what} is the public half of a key; the private one is needed.`)
  return key
}

function isKey(value: unknown): value is ssh2.ParsedKey {
  return typeof value === 'object' && value !== null && 'isPrivateKey' in value
}
