/**
 * A storage service or protocol as people know it, as pure data. Window, main and command line read it: the form and its checks, `--help`,
 * environment variables and the README's table come from here. What speaks to the storage is in engine/backend/<id>.
 */
export interface ProviderDescription {
  /** Also the name of its folder in engine/backend. */
  readonly id: string
  /** As people know it: `SFTP server`. */
  readonly name: string
  /** One line under the name. */
  readonly summary: string
  readonly icon: 'server' | 'cloud' | 'globe'
  /** Without the colon; the first is the one that addresses are written with. */
  readonly schemes: readonly [string, ...string[]]
  /** Schemes that other programs have for it: whoever types one is shown the example. */
  readonly aliases?: readonly string[]
  /** `server`: scheme://user@host:port/path?setting=… · `path`: scheme:/path?setting=… · `whole`: scheme:text?setting=… */
  readonly form: 'server' | 'path' | 'whole'
  /** What an address holds, in the order in which it is asked for. */
  readonly fields: readonly AddressField[]
  /** What is kept apart from the address, and never in it. */
  readonly secrets: readonly SecretField[]
  /** Values that people pick by a name, e.g. the endpoint of a well-known service. */
  readonly presets?: readonly AddressPreset[]
  /** Whose account a person signs in to in the browser; the address then has an `account` field. */
  readonly signIn?: SignInKind
  /** What is typed can start programs of this machine or name its folders: the window may not even try it before main has asked. */
  readonly runsHere?: true
  /** Hard maximum of concurrent transfers that the provider bears. */
  readonly maxConnections: number
  /** What `--help` and errors show. */
  readonly example: string
  /** Where a connection will be made to; undefined: nothing can be said without talking to it. */
  readonly reach: (values: AddressValues) => ServerPlace | undefined
  /** Whether what goes there can be read on the way, where no http:// in a field says so. */
  readonly readableOnTheWay?: (values: AddressValues) => boolean
}

/** Whose consent page opens. */
export type SignInKind = 'dropbox' | 'google' | 'microsoft' | 'box'

export interface ServerPlace {
  readonly host: string
  readonly port: number
}

/** By field name; what is empty is absent. Texts as they are checked: see `checkedValue`. */
export type AddressValues = Readonly<Record<string, string>>

export interface AddressPreset {
  readonly name: string
  readonly values: AddressValues
}

interface Field {
  readonly name: string
  readonly label: string
  readonly required: boolean
  /** One line under the input. */
  readonly hint?: string
}

export interface AddressField extends Field {
  /** Where it stands in the address. A `setting` is written as `?name=value`; a `scheme` is a choice of the other schemes, for what differs then. */
  readonly at: 'scheme' | 'user' | 'host' | 'port' | 'path' | 'whole' | 'setting'
  readonly kind: FieldKind
  /** What else it has to match. */
  readonly pattern?: RegExp
  /** Said where it is not what it should be; a whole sentence. */
  readonly problem: string
  readonly placeholder?: string
  /** For `choice`. */
  readonly choices?: readonly Choice[]
  /** For `choice`: what holds where none is made. */
  readonly usual?: string
  /** The smallest and the largest number: of MiB for `mebibytes`. */
  readonly range?: readonly [number, number]
  /** Only for the command line and "More options" in the window. */
  readonly rare?: boolean
}

interface Choice {
  readonly value: string
  readonly label: string
}

/**
 * `text`: as it is · `host`: a name or an IP address · `port`: 1–65535 · `prefix`: folders without slashes around them ·
 * `server-path`: `/from/the/root` or `~/from/the/login/folder` · `origin`: http(s)://host:port · `url`: http(s)://host/path ·
 * `choice`: one of `choices` · `mebibytes`: `5M` · `file`: an absolute path on this machine
 */
export type FieldKind = 'text' | 'host' | 'port' | 'prefix' | 'server-path' | 'origin' | 'url' | 'choice' | 'mebibytes' | 'file'

export interface SecretField extends Field {
  /** `text` is shown while it is typed; `key` has several lines. */
  readonly kind: 'text' | 'password' | 'key'
  /** Environment variables that the command line takes it from; the first counts where several are set. */
  readonly variables: readonly [string, ...string[]]
  /** Environment variables that hold the path of a file with it, as others' tools set them; they count after `variables`. */
  readonly fileVariables?: readonly string[]
}
