import type { Bridge, DriveFolderView, FolderView, JobView, RetentionPreview, SettingsView, TestView, WireError } from './bridge.ts'
import { destinationFieldsOf, destinationOf, hasMoved, noDestination, presetValues } from './destination-form.ts'
import { configOf, fieldsOf, freeName, newFields, presets, secretsOf, suggestName, validate, validateDestination } from './job-form.ts'
import type { FieldErrors, FieldName, JobFields } from './job-form.ts'
import { retentionOf, validateKeep } from './keep-form.ts'
import { AnswerLoader } from './loader.svelte.ts'
import { isDeclined } from './declined.ts'
import type { PlaceForm } from './place-form.ts'
import { isOfProvider, SeenFields } from './seen-fields.svelte.ts'

/** The form for a new job, or for one that exists. Errors show once a field was left or the form was sent. */
export class JobForm implements PlaceForm {
  readonly purpose = 'job'
  readonly job: JobView | undefined
  readonly fields: JobFields
  readonly test = new AnswerLoader<TestView>()
  readonly preview = new AnswerLoader<RetentionPreview>()
  readonly #bridge: Bridge
  readonly #takenNames: readonly string[]
  readonly #seen = new SeenFields<FieldName>()
  #nameTyped = $state(false)
  /** Path of a folder in which a repository is known to be. */
  #repositoryAt = $state<string>()
  #home = $state<string>()
  /** The password is shown while it is typed. */
  passwordSeen = $state(false)
  #saving = $state(false)
  #failure = $state.raw<WireError>()

  constructor(bridge: Bridge, settings: SettingsView, jobs: readonly JobView[], job?: JobView) {
    this.#bridge = bridge
    this.job = job
    this.fields = $state(job ? fieldsOf(job, settings) : newFields(settings))
    this.#takenNames = jobs.filter((one) => one.id !== job?.id).map((one) => one.config.name)
  }

  readonly #problems = $derived.by(() => validate(this.fields, this.#facts()))

  /** What to show beside the fields now. */
  get errors(): FieldErrors {
    return this.#seen.shown(this.#problems)
  }

  get saving(): boolean {
    return this.#saving
  }

  /** Why main refused the job. */
  get failure(): WireError | undefined {
    return this.#failure
  }

  /** What the test found, as long as nothing that it depends on was changed since. */
  get found(): TestView | undefined {
    return this.test.valueFor(this.#testKey())
  }

  get testError(): WireError | undefined {
    return this.test.errorFor(this.#testKey())
  }

  /** What the rules would do, as long as they are the same. */
  get previewFound(): RetentionPreview | undefined {
    return this.preview.valueFor(this.#previewKey())
  }

  get previewError(): WireError | undefined {
    return this.preview.errorFor(this.#previewKey())
  }

  /** It goes to another place than before: the secrets of the old one stay behind. */
  get moved(): boolean {
    return hasMoved(this.fields, this.job)
  }

  /** Keys are kept that are good for this destination. */
  get storedKeys(): boolean {
    return this.job?.secrets.storage === true && !this.moved
  }

  /** The test found the job's own repository at another address: it moves there with its history. */
  get sameRepository(): boolean {
    return this.found?.sameRepository === true
  }

  /** The password opens what is there: it need not be repeated. */
  get repositoryOpens(): boolean {
    return this.found?.repository === 'exists' && this.fields.password !== ''
  }

  /** A repository is known to be where this job goes: its password is asked for. */
  get expectsRepository(): boolean {
    return this.fields.destination === 'folder' && this.fields.folder !== undefined && this.fields.folder.path === this.#repositoryAt
  }

  /** Backups go to a disk that is attached. */
  chooseDrive({ id, path, repository }: DriveFolderView): void {
    this.chooseDestination('folder')
    this.fields.folder = { id, path }
    if (repository) this.#repositoryAt = path
  }

  /** Path of the home folder, as soon as it was proposed. */
  get home(): string | undefined {
    return this.#home
  }

  /** What a first job may back up, unless something was chosen already. */
  propose(home: FolderView, leaveOut: readonly string[], name: string): void {
    const { fields } = this
    this.#home = home.path
    if (fields.sources.length > 0) return
    Object.assign(fields, { sources: [home], patterns: leaveOut.join('\n'), presets: presets.filter((one) => one === 'node_modules' || fields.presets.includes(one)) })
    if (fields.name === '') fields.name = freeName(name, this.#takenNames)
  }

  /** Another kind of destination: nothing that was typed for one goes to another. */
  chooseDestination(destination: string): void {
    if (destination === this.fields.destination) return
    const known = this.job && destinationFieldsOf(this.job)
    const { values } = known?.destination === destination ? known : noDestination()
    Object.assign(this.fields, { destination, values, keys: {} })
    this.#seen.forget(isOfProvider)
  }

  /** Fills in what a preset knows; the rest stays. */
  applyPreset(name: string): void {
    this.fields.values = { ...this.fields.values, ...presetValues(this.fields, name) }
  }

  leave(name: FieldName): void {
    if (name === 'name') this.#nameTyped = true
    this.#seen.add(name)
  }

  addSources(folders: readonly FolderView[]): void {
    const isListed = ({ path }: FolderView): boolean => this.fields.sources.some((one) => one.path === path)
    this.fields.sources = [...this.fields.sources, ...folders.filter((one) => !isListed(one))]
    if (!this.job && (!this.#nameTyped || this.fields.name === '')) this.fields.name = suggestName(this.fields.sources, this.#takenNames)
  }

  removeSource({ path }: FolderView): void {
    this.fields.sources = this.fields.sources.filter((one) => one.path !== path)
  }

  async testDestination(): Promise<void> {
    const problems = validateDestination(this.fields, { storedKeys: this.storedKeys })
    this.#seen.addAll(problems)
    if (Object.keys(problems).length > 0) return
    const fields = this.#plainFields()
    const request = { destination: destinationOf(fields), secrets: secretsOf(fields), ...(this.job && { jobId: this.job.id }) }
    await this.test.loadFor(this.#testKey(), () => this.#bridge.invoke('destination.test', request))
  }

  /** Asks what the chosen rules would do to the snapshots of the job. */
  async previewKept(): Promise<void> {
    const problems = validateKeep(this.fields)
    this.#seen.addAll(problems)
    const fields = this.#plainFields()
    const retention = retentionOf(fields)
    if (Object.keys(problems).length > 0 || !this.job || !retention) return
    const request = { jobId: this.job.id, retention }
    await this.preview.loadFor(this.#previewKey(), () => this.#bridge.invoke('retention.preview', request))
  }

  /** Makes or changes the job; the id of the job, or nothing when something is wrong (then `errors` or `failure` say what). */
  async save(): Promise<string | undefined> {
    this.#seen.everything()
    this.#failure = undefined
    if (Object.keys(this.#problems).length > 0 || this.#saving) return undefined
    this.#saving = true
    // A wrong password would be found out by the first backup only.
    if (this.expectsRepository && !this.repositoryOpens) await this.testDestination()
    if (this.expectsRepository && !this.repositoryOpens) {
      this.#saving = false
      return undefined
    }
    const fields = this.#plainFields()
    const content = { config: configOf(fields), secrets: secretsOf(fields) }
    const reply = this.job
      ? await this.#bridge.invoke('job.update', { jobId: this.job.id, ...content })
      : await this.#bridge.invoke('job.add', content)
    this.#saving = false
    if (!reply.ok) {
      this.#failure = isDeclined(reply.error) ? undefined : reply.error
      return undefined
    }
    return this.job?.id ?? reply.value?.jobId
  }

  /** Without Svelte's proxies, which cannot cross to another process. */
  #plainFields(): JobFields {
    return $state.snapshot(this.fields)
  }

  #facts() {
    return {
      editing: this.job !== undefined,
      takenNames: this.#takenNames,
      repositoryOpens: this.repositoryOpens,
      storedKeys: this.storedKeys,
      moved: this.moved,
      sameRepository: this.sameRepository,
      expectsRepository: this.expectsRepository,
      passwordSeen: this.passwordSeen,
    }
  }

  #previewKey(): string {
    return JSON.stringify(retentionOf(this.fields))
  }

  #testKey(): string {
    return JSON.stringify([destinationOf(this.fields), secretsOf(this.fields)])
  }
}
