import { defaultRetention } from '../../main/api/retention.ts'
import type { ExcludeRules, FolderView, JobConfigInput, JobView, SecretsInput, SettingsView } from './bridge.ts'
import { conditionFieldsOf, conditionsOf, validateConditions, type ConditionFields } from './condition-form.ts'
import { destinationFieldsOf, destinationOf, destinationProblems, keysOf, noDestination } from './destination-form.ts'
import type { DestinationField, DestinationFields, FieldProblem } from './destination-form.ts'
import { keepFieldsOf, retentionOf, validateKeep, type KeepFields } from './keep-form.ts'
import { scheduleFieldsOf, scheduleOf, validateSchedule, type ScheduleFields } from './schedule-form.ts'

export type ExcludePreset = ExcludeRules['presets'][number]

/** The fields of the job form, as they are typed. */
export interface JobFields extends DestinationFields, KeepFields, ScheduleFields, ConditionFields {
  name: string
  sources: readonly FolderView[]
  password: string
  confirmation: string
  concurrency: string
  limited: boolean
  /** MB/s */
  limit: string
  presets: readonly ExcludePreset[]
  patterns: string
  largerThan: boolean
  /** MB */
  largerThanSize: string
  oneFileSystem: boolean
}

export type FieldName = Exclude<keyof JobFields, keyof DestinationFields> | DestinationField
export type FieldErrors = Partial<Record<FieldName, FieldProblem>>

export const presets = ['caches', 'trash', 'node_modules', 'nobackup', 'cachedir', 'nodump'] as const satisfies readonly ExcludePreset[]

export interface FormFacts {
  readonly editing: boolean
  /** Names that other jobs have. */
  readonly takenNames: readonly string[]
  /** The test found a repository that the password opens: nothing to choose, nothing to repeat. */
  readonly repositoryOpens: boolean
  readonly storedKeys: boolean
  /** The job that is edited goes to another place than before: its secrets are asked for again. */
  readonly moved: boolean
  /** The test found the job's own repository there, which the stored password opens. */
  readonly sameRepository: boolean
  /** A repository is known to be there, whose password is asked for. */
  readonly expectsRepository: boolean
  /** The password is shown while it is typed, so that it need not be repeated. */
  readonly passwordSeen: boolean
}

const megabyte = 1_000_000

export function newFields(settings: SettingsView): JobFields {
  return {
    ...noDestination(),
    ...keepFieldsOf(defaultRetention),
    ...scheduleFieldsOf({ type: 'daily', at: '20:00' }),
    ...conditionFieldsOf(),
    name: '', sources: [], password: '', confirmation: '',
    concurrency: String(settings.defaultConcurrency), limited: false, limit: '5',
    presets: ['caches', 'trash', 'nobackup', 'cachedir'], patterns: '', largerThan: false, largerThanSize: '1000', oneFileSystem: true,
  }
}

export function fieldsOf(job: JobView, settings: SettingsView): JobFields {
  const { config } = job
  const { excludes } = config
  return {
    ...newFields(settings),
    ...destinationFieldsOf(job),
    ...keepFieldsOf(config.retention),
    ...scheduleFieldsOf(config.schedule),
    ...conditionFieldsOf(config.conditions),
    name: config.name,
    sources: config.sources,
    concurrency: String(config.concurrency),
    limited: config.uploadBytesPerSecond !== undefined,
    limit: config.uploadBytesPerSecond === undefined ? '5' : String(config.uploadBytesPerSecond / megabyte),
    presets: excludes.presets,
    patterns: excludes.patterns.join('\n'),
    largerThan: excludes.largerThanBytes !== undefined,
    largerThanSize: excludes.largerThanBytes === undefined ? '1000' : String(excludes.largerThanBytes / megabyte),
    oneFileSystem: excludes.oneFileSystem,
  }
}

/** What is wrong, by field; empty when the job can be made. */
export function validate(fields: JobFields, facts: FormFacts): FieldErrors {
  return { ...validateSources(fields, facts), ...validateDestination(fields, facts), ...validatePassword(fields, facts), ...validateLimits(fields), ...validateSchedule(fields), ...validateConditions(fields), ...validateKeep(fields) }
}

function validateSources(fields: JobFields, facts: FormFacts): FieldErrors {
  const name = fields.name.trim()
  const errors: FieldErrors = {}
  if (name === '') errors.name = 'required'
  else if (!/^[A-Za-z0-9 ._-]{1,64}$/.test(name)) errors.name = 'nameCharacters'
  else if (facts.takenNames.includes(name)) errors.name = 'nameTaken'
  if (fields.sources.length === 0) errors.sources = 'noSources'
  return errors
}

/** Also on its own, before the destination is tested. */
export function validateDestination(fields: JobFields, facts: Pick<FormFacts, 'storedKeys'>): FieldErrors {
  if (fields.destination !== 'folder') return destinationProblems(fields, facts)
  const { folder } = fields
  if (folder === undefined) return { folder: 'noFolder' }
  return fields.sources.some((source) => isInside(folder.path, source.path)) ? { folder: 'insideSource' } : {}
}

function validatePassword(fields: JobFields, facts: FormFacts): FieldErrors {
  if (facts.editing && !facts.moved) return {}
  if (facts.sameRepository && fields.password === '') return {}
  if (fields.password === '') return { password: facts.moved ? 'passwordAgain' : 'required' }
  if (facts.repositoryOpens || facts.expectsRepository) return {}
  return newPasswordErrors({ password: fields.password, confirmation: facts.passwordSeen ? fields.password : fields.confirmation })
}

/** What is wrong with a password that somebody makes up, and its repetition. */
export function newPasswordErrors({ password, confirmation }: Pick<JobFields, 'password' | 'confirmation'>): { readonly password?: 'passwordShort'; readonly confirmation?: 'passwordsDiffer' } {
  if (password.length < 8) return { password: 'passwordShort' }
  return confirmation === password ? {} : { confirmation: 'passwordsDiffer' }
}

function validateLimits(fields: JobFields): FieldErrors {
  const errors: FieldErrors = {}
  const concurrency = Number(fields.concurrency)
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 32) errors.concurrency = 'concurrencyRange'
  if (fields.limited && !(parseMegabytes(fields.limit) > 0)) errors.limit = 'positiveNumber'
  if (fields.largerThan && !(parseMegabytes(fields.largerThanSize) > 0)) errors.largerThanSize = 'positiveNumber'
  return errors
}

/** Bytes; NaN for what is no number. A decimal comma is one too. */
export function parseMegabytes(text: string): number {
  const trimmed = text.trim().replace(',', '.')
  return trimmed === '' ? NaN : Math.round(Number(trimmed) * megabyte)
}

/** Only for fields that `validate` finds nothing wrong with. */
export function configOf(fields: JobFields): JobConfigInput {
  const retention = retentionOf(fields)
  const conditions = conditionsOf(fields)
  return {
    name: fields.name.trim(),
    sources: fields.sources.map(({ id }) => ({ id })),
    destination: destinationOf(fields),
    excludes: excludesOf(fields),
    concurrency: Number(fields.concurrency),
    ...(fields.limited && { uploadBytesPerSecond: parseMegabytes(fields.limit) }),
    schedule: scheduleOf(fields),
    ...(retention && { retention }),
    ...(conditions && { conditions }),
  }
}

export function excludesOf(fields: Pick<JobFields, 'patterns' | 'presets' | 'oneFileSystem' | 'largerThan' | 'largerThanSize'>): ExcludeRules {
  const largerThanBytes = fields.largerThan ? parseMegabytes(fields.largerThanSize) : NaN
  return {
    patterns: fields.patterns.split('\n').map((line) => line.trim()).filter((line) => line !== ''),
    presets: fields.presets,
    oneFileSystem: fields.oneFileSystem,
    ...(largerThanBytes > 0 && { largerThanBytes }),
  }
}

/** Only what was typed; what is absent stays as it is stored. */
export function secretsOf(fields: JobFields): SecretsInput {
  const storage = keysOf(fields)
  return { ...(fields.password !== '' && { password: fields.password }), ...(storage && { storage }) }
}

/** A name to begin with: that of the first source, cut to what a name may hold. */
export function suggestName(sources: readonly FolderView[], takenNames: readonly string[]): string {
  return freeName(sources[0]?.path.split(/[/\\]/).filter((part) => part !== '').at(-1)?.replace(/[^A-Za-z0-9 ._-]/g, '-').slice(0, 60) ?? '', takenNames)
}

/** A name that no other job has, made of this one. */
export function freeName(base: string, takenNames: readonly string[]): string {
  if (base === '' || !takenNames.includes(base)) return base
  let number = 2
  while (takenNames.includes(`${base} ${number}`)) number += 1
  return `${base} ${number}`
}

/** Whether a folder is another, or in it. */
export function isInside(path: string, folder: string): boolean {
  const parent = folder.replace(/[/\\]+$/, '')
  return path === folder || path === parent || path.startsWith(`${parent}/`) || path.startsWith(`${parent}\\`)
}
