import { placeWords } from '../../main/api/providers.ts'
import { visibleText } from '../../main/api/text.ts'
import type { JobConfigView, LateBackup, Note, Notice, Request, RunView, SettingsView } from '../state/bridge.ts'
import * as m from '../../main/text/compiled/messages.js'
import { formatBytes, formatCount, formatRate } from './format.ts'
import { kitWords } from './kit.ts'
import { passwordWords } from './password.ts'
import { lateWords } from './unusual.ts'
import type { ExcludePreset } from '../state/job-form.ts'

const leftOut = (count: number): string => (count === 0 ? '' : m.leftOut({ count: formatCount(count) }))

/** What a backup passes over, or stores otherwise, by its kind: how often, and where it was met first. */
const noteWords: Readonly<Record<Note['code'], (count: number, path: string) => string>> = {
  socket: (count, path) => m.note_socket({ count, path, part: count > 1 ? m.note_socket2() : '' }),
  device: (count, path) => m.note_device({ count, path, part: count > 1 ? m.note_device2() : '' }),
  'own-folder': (_count, path) => m.note_ownFolder({ path }),
  time: (count, path) => m.note_time({ count, path }),
  attributes: (count, path) => m.note_attributes({ count, path }),
  database: (count, path) => m.note_database({ count, path, part: count > 1 ? m.note_database2() : '' }),
}

/** Every sentence of the window but errors and states (errors.ts, status.ts). A translation replaces this folder. */
export const words = {
  app: m.app(),
  tryAgain: m.tryAgain(),
  close: m.close(),
  cancel: m.cancel(),
  back: m.back(),
  loading: m.loading(),
  dismiss: m.dismiss(),
  navigation: { label: m.navigation_label(), jobs: m.navigation_jobs(), restore: m.navigation_restore(), settings: m.navigation_settings(), jobList: m.navigation_jobList() },
  summary: {
    idle: m.summary_idle(),
    pausedAll: m.summary_pausedAll(),
    running: (count: number) => m.summary_running({ count }),
    rate: (bytesPerSecond: number) => formatRate(bytesPerSecond),
    pauseAll: m.summary_pauseAll(),
    resumeAll: m.summary_resumeAll(),
  },
  jobs: {
    title: m.jobs_title(),
    add: m.jobs_add(),
    run: m.jobs_run(),
    runLabel: (name: string) => m.jobs_runLabel({ name }),
    stopLabel: (name: string) => m.jobs_stopLabel({ name }),
    pauseLabel: (name: string) => m.jobs_pauseLabel({ name }),
    resumeLabel: (name: string) => m.jobs_resumeLabel({ name }),
    pause: m.jobs_pause(),
    resume: m.jobs_resume(),
    stop: m.jobs_stop(),
    open: (name: string, state: string) => m.jobs_open({ name, state }),
    manual: m.jobs_manual(),
    lastSuccess: (age: string) => m.jobs_lastSuccess({ age }),
    waits: {
      next: (moment: string) => m.jobs_waits_next({ moment }),
      changes: m.jobs_waits_changes(),
      retry: (moment: string) => m.jobs_waits_retry({ moment }),
      destinationAway: m.jobs_waits_destinationAway(),
      sourceAway: m.jobs_waits_sourceAway(),
      paused: m.jobs_waits_paused(),
      signIn: m.jobs_waits_signIn(),
      place: (most: number) => (most === 1 ? m.jobs_waits_place() : m.jobs_waits_place2({ most })),
      repository: m.jobs_waits_repository(),
      quiet: m.jobs_waits_quiet(),
      ending: m.jobs_waits_ending(),
    },
    signInLabel: (name: string) => m.jobs_signInLabel({ name }),
    uploaded: (bytes: number) => m.jobs_uploaded({ bytes: formatBytes(bytes) }),
    progressLabel: (name: string) => m.jobs_progressLabel({ name }),
    first: {
      title: m.jobs_first_title(),
      text: m.jobs_first_text(),
      action: m.jobs_first_action(),
      steps: [m.jobs_first_steps(), m.jobs_first_steps2(), m.jobs_first_steps3()],
    },
  },
  job: {
    edit: m.job_edit(),
    remove: m.job_remove(),
    acceptOlder: m.job_acceptOlder(),
    hold: {
      title: m.job_hold_title(),
      short: m.job_hold_short(),
      kept: (since: string) => m.job_hold_kept({ since }),
      fine: m.job_hold_fine(),
      released: (name: string) => m.job_hold_released({ name }),
    },
    more: m.job_more(),
    copyCommand: m.job_copyCommand(),
    commandCopied: m.job_commandCopied(),
    restore: m.job_restore(),
    openDestination: m.job_openDestination(),
    lanes: m.job_lanes(),
    laneList: m.job_laneList(),
    noLanes: m.job_noLanes(),
    counters: m.job_counters(),
    files: m.job_files(),
    about: m.job_about(),
    history: m.job_history(),
    historyEmpty: m.job_historyEmpty(),
    historyMore: m.job_historyMore(),
    queued: m.job_queued(),
    queuedPaused: m.job_queuedPaused(),
    queuedSignIn: m.job_queuedSignIn(),
    problemsSoFar: (count: number) => m.job_problemsSoFar({ count }),
    sources: m.job_sources(),
    destination: m.job_destination(),
    schedule: m.job_schedule(),
    limits: m.job_limits(),
    missing: m.job_missing(),
    toJobs: m.job_toJobs(),
    removed: (name: string) => m.job_removed({ name }),
    saved: (name: string) => m.job_saved({ name }),
    waitingTitle: m.job_waitingTitle(),
    waitingSince: (duration: string) => m.job_waitingSince({ duration }),
    startLabel: m.job_startLabel(),
  },
  stop: {
    title: (name: string) => m.stop_title({ name }),
    text: m.stop_text(),
    drain: m.stop_drain(),
    cancel: m.stop_cancel(),
    keep: m.stop_keep(),
  },
  history: {
    columns: { result: m.history_columns_result(), started: m.history_columns_started(), duration: m.history_columns_duration(), files: m.history_columns_files(), sent: m.history_columns_sent() },
    show: (moment: string) => m.history_show({ moment }),
    problems: m.history_problems(),
    moreProblems: m.history_moreProblems(),
    kept: (shown: number, all: number) => m.history_kept({ shown: formatCount(shown), all: formatCount(all) }),
    copyLog: m.history_copyLog(),
    copied: (lines: number) => m.history_copied({ lines }),
    trigger: { manual: m.history_trigger_manual(), schedule: m.history_trigger_schedule(), 'catch-up': m.history_trigger_catchUp() } satisfies Record<RunView['trigger'], string>,
    snapshot: (id: string) => m.history_snapshot({ id }),
    note: (note: Note) => noteWords[note.code](note.count, visibleText(note.path)),
    verified: (bytes: number) => m.history_verified({ bytes: formatBytes(bytes) }),
    adopted: (packs: number) => m.history_adopted({ packs }),
    restarts: (count: number) => m.history_restarts({ count }),
    browse: m.history_browse(),
  },
  form: {
    addTitle: m.form_addTitle(),
    editTitle: (name: string) => m.form_editTitle({ name }),
    what: m.form_what(),
    where: m.form_where(),
    password: m.form_password(),
    when: m.form_when(),
    excludes: m.form_excludes(),
    name: m.form_name(),
    nameHint: m.form_nameHint(),
    nameFixed: m.form_nameFixed(),
    sources: m.form_sources(),
    addFolder: m.form_addFolder(),
    removeSource: (path: string) => m.form_removeSource({ path }),
    noSources: m.form_noSources(),
    destinationType: m.form_destinationType(),
    folderType: m.form_folderType(),
    destinationGroups: { near: m.form_destinationGroups_near(), cloud: m.form_destinationGroups_cloud() },
    folderSummary: m.form_folderSummary(),
    preset: m.form_preset(),
    noPreset: m.form_noPreset(),
    moreOptions: m.form_moreOptions(),
    folder: m.form_folder(),
    folderNone: m.form_folderNone(),
    chooseFolder: m.form_chooseFolder(),
    openOnTheWay: m.form_openOnTheWay(),
    unchanged: m.form_unchanged(),
    optional: m.form_optional(),
    test: m.form_test(),
    testing: m.form_testing(),
    repositoryPassword: m.form_repositoryPassword(),
    changePassword: m.form_changePassword(),
    changePasswordHint: m.form_changePasswordHint(),
    sameTitle: m.form_sameTitle(),
    sameText: m.form_sameText(),
    movedTitle: m.form_movedTitle(),
    movedText: m.form_movedText(),
    confirmation: m.form_confirmation(),
    warningTitle: m.form_warningTitle(),
    warning: m.form_warning(),
    opensText: { job: m.form_opensText_job(), copy: m.form_opensText_copy() },
    concurrency: m.form_concurrency(),
    concurrencyHint: m.form_concurrencyHint(),
    limited: m.form_limited(),
    limit: m.form_limit(),
    presets: {
      caches: { label: m.form_presets_caches_label(), hint: m.form_presets_caches_hint() },
      trash: { label: m.form_presets_trash_label(), hint: m.form_presets_trash_hint() },
      node_modules: { label: m.form_presets_nodeModules_label(), hint: m.form_presets_nodeModules_hint() },
      nobackup: { label: m.form_presets_nobackup_label(), hint: m.form_presets_nobackup_hint() },
      cachedir: { label: m.form_presets_cachedir_label(), hint: m.form_presets_cachedir_hint() },
      nodump: { label: m.form_presets_nodump_label(), hint: m.form_presets_nodump_hint() },
    } satisfies Record<ExcludePreset, { label: string; hint: string }>,
    oneFileSystem: m.form_oneFileSystem(),
    oneFileSystemHint: m.form_oneFileSystemHint(),
    largerThan: m.form_largerThan(),
    largerThanSize: m.form_largerThanSize(),
    patterns: m.form_patterns(),
    patternsHint: m.form_patternsHint(),
    create: m.form_create(),
    createAndRun: m.form_createAndRun(),
    save: m.form_save(),
    fix: m.form_fix(),
  },
  test: {
    none: m.test_none(),
    noneText: { job: m.test_noneText_job(), copy: m.test_noneText_copy() },
    exists: m.test_exists(),
    existsNoPassword: m.test_existsNoPassword(),
    existsText: { job: m.test_existsText_job(), copy: m.test_existsText_copy() },
    exclusive: m.test_exclusive(),
    flags: m.test_flags(),
    serverKey: (key: string) => m.test_serverKey({ key }),
    says: (name: string, text: string) => m.test_says({ name, text }),
    connections: (count: number) => m.test_connections({ count }),
  },
  password: {
    show: m.password_show(),
    hide: m.password_hide(),
    advice: m.password_advice(),
  },
  lane: {
    free: m.lane_free(),
    label: (name: string, percent: string) => `${name} ${percent}`.trim(),
    attempt: (attempt: number) => m.lane_attempt({ attempt }),
    state: { done: m.lane_state_done(), failed: m.lane_state_failed() },
  },
  restore: {
    title: m.restore_title(),
    job: m.restore_job(),
    snapshots: m.restore_snapshots(),
    noJobs: m.restore_noJobs(),
    noJobsText: m.restore_noJobsText(),
    noSnapshots: m.restore_noSnapshots(),
    noSnapshotsText: m.restore_noSnapshotsText(),
    opening: m.restore_opening(),
    older: m.restore_older(),
    olderText: (missed: readonly string[]) => m.restore_olderText({ missed: missed.slice(0, 3).join('; '), part: missed.length > 3 ? m.restore_olderText2({ more: missed.length - 3 }) : '' }),
    pick: m.restore_pick(),
    pickText: m.restore_pickText(),
    allJobs: m.restore_allJobs(),
    filter: m.restore_filter(),
    snapshotLabel: (job: string, moment: string) => `${job}, ${moment}`,
    snapshotFiles: (files: number, bytes: number) => `${m.restore_snapshotFiles({ files })}, ${formatBytes(bytes)}`,
    pinned: m.restore_pinned(),
    problems: (count: number) => m.restore_problems({ count }),
    path: m.restore_path(),
    root: m.restore_root(),
    columns: { name: m.restore_columns_name(), size: m.restore_columns_size(), changed: m.restore_columns_changed() },
    emptyFolder: m.restore_emptyFolder(),
    more: m.restore_more(),
    loaded: (count: number, more: boolean) => (more ? m.restore_loaded({ count: formatCount(count) }) : m.restore_loaded2({ count })),
    choose: (name: string) => m.restore_choose({ name }),
    openFolder: (name: string) => m.restore_openFolder({ name }),
    nothingChosen: m.restore_nothingChosen(),
    chosen: (count: number, without: number) => m.restore_chosen({ count, leftOut: leftOut(without) }),
    clear: m.restore_clear(),
    start: m.restore_start(),
    startAll: m.restore_startAll(),
    entryTypes: { file: m.restore_entryTypes_file(), directory: m.restore_entryTypes_directory(), symlink: m.restore_entryTypes_symlink(), fifo: m.restore_entryTypes_fifo() },
    linkTo: (target: string) => `→ ${target}`,
    running: m.restore_running(),
    runningTitle: (job: string) => m.restore_runningTitle({ job }),
    notThere: m.restore_notThere(),
    target: m.restore_target(),
    from: m.restore_from(),
    everything: m.restore_everything(),
    paths: (count: number, without: number) => `${m.restore_paths({ count })}${leftOut(without)}`,
    openTarget: m.restore_openTarget(),
    problemsTitle: m.restore_problemsTitle(),
    dismiss: m.restore_dismiss(),
  },
  restoreDialog: {
    title: m.restoreDialog_title(),
    what: (count: number, without: number, snapshot: string) =>
      count === 0 ? m.restoreDialog_what({ snapshot }) : m.restoreDialog_what2({ count, snapshot, leftOut: leftOut(without) }),
    target: m.restoreDialog_target(),
    none: m.restoreDialog_none(),
    choose: m.restoreDialog_choose(),
    safe: m.restoreDialog_safe(),
    overwrite: m.restoreDialog_overwrite(),
    rules: {
      never: m.restoreDialog_rules_never(),
      changed: m.restoreDialog_rules_changed(),
      older: m.restoreDialog_rules_older(),
      beside: m.restoreDialog_rules_beside(),
      always: m.restoreDialog_rules_always(),
    } satisfies Record<Request<'restore.start'>['overwrite'], string>,
    start: m.restoreDialog_start(),
    needTarget: m.restoreDialog_needTarget(),
  },
  stopRestore: { title: m.stopRestore_title(), text: m.stopRestore_text(), stop: m.stopRestore_stop(), keep: m.stopRestore_keep() },
  settings: {
    title: m.settings_title(),
    general: m.settings_general(),
    language: m.settings_language(),
    languages: { system: m.settings_languageSystem(), en: 'English', de: 'Deutsch' } satisfies Record<SettingsView['language'], string>,
    theme: m.settings_theme(),
    themes: { system: m.settings_themes_system(), light: m.settings_themes_light(), dark: m.settings_themes_dark() } satisfies Record<SettingsView['theme'], string>,
    autoStart: m.settings_autoStart(),
    autoStartHint: m.settings_autoStartHint(),
    autoStartUnsupported: m.settings_autoStartUnsupported(),
    notifications: m.settings_notifications(),
    notificationOptions: { all: m.settings_notificationOptions_all(), failures: m.settings_notificationOptions_failures(), none: m.settings_notificationOptions_none() } satisfies Record<SettingsView['notifications'], string>,
    performance: m.settings_performance(),
    parallelJobs: m.settings_parallelJobs(),
    parallelJobsHint: m.settings_parallelJobsHint(),
    defaultConcurrency: m.settings_defaultConcurrency(),
    uploadLimit: m.settings_uploadLimit(),
    downloadLimit: m.settings_downloadLimit(),
    limitValue: m.settings_limitValue(),
    limitHint: m.settings_limitHint(),
    security: m.settings_security(),
    keychain: m.settings_keychain(),
    keychainText: m.settings_keychainText(),
    file: m.settings_file(),
    fileText: m.settings_fileText(),
    about: m.settings_about(),
    version: m.settings_version(),
    oldRuntime: (version: string) => m.settings_oldRuntime({ version }),
    openLogs: m.settings_openLogs(),
  },
  notice: {
    settingsDamaged: m.notice_settingsDamaged(),
    jobsDamaged: m.notice_jobsDamaged(),
    secretsDamaged: m.notice_secretsDamaged(),
    movedTo: (path: string) => m.notice_movedTo({ path }),
    homeWasOpen: m.notice_homeWasOpen(),
    homeWasOpenText: (folder: string) => m.notice_homeWasOpenText({ folder }),
    oldRuntime: m.notice_oldRuntime(),
    oldRuntimeText: (version: string) => m.notice_oldRuntimeText({ version }),
    secretsInFile: m.notice_secretsInFile(),
    secretsInFileText: m.notice_secretsInFileText(),
    late: (late: readonly LateBackup[]) => (late.length === 1 ? m.notice_late() : m.notice_late2({ count: formatCount(late.length) })),
    lateText: lateWords,
    crashed: (job: string) => m.notice_crashed({ job }),
    crashedAgain: m.notice_crashedAgain(),
    crashedGivenUp: (restarts: number) => m.notice_crashedGivenUp({ restarts }),
  },
  errors: {
    required: m.errors_required(),
    nameCharacters: m.errors_nameCharacters(),
    nameTaken: m.errors_nameTaken(),
    signIn: m.errors_signIn(),
    noSources: m.errors_noSources(),
    noFolder: m.errors_noFolder(),
    insideSource: m.errors_insideSource(),
    passwordShort: m.errors_passwordShort(),
    passwordAgain: m.errors_passwordAgain(),
    passwordsDiffer: m.errors_passwordsDiffer(),
    concurrencyRange: m.errors_concurrencyRange(),
    jobsRange: m.errors_jobsRange(),
    positiveNumber: m.errors_positiveNumber(),
    keptRange: m.errors_keptRange(),
    daysRange: m.errors_daysRange(),
    keepSomething: m.errors_keepSomething(),
    timeOfDay: m.errors_timeOfDay(),
  },
} as const

export type FieldError = keyof typeof words.errors

/** Where the backup goes, in one line. */
export function destinationWords(destination: JobConfigView['destination']): string {
  if (destination.type === 'folder') return destination.folder.path
  const { what, where } = placeWords(destination)
  return what === '' ? where : m.destination({ what, where })
}

export function limitsWords(config: JobConfigView): string {
  const limit = config.uploadBytesPerSecond
  return m.limits({ concurrency: config.concurrency, part: limit === undefined ? '' : m.limits2({ limit: formatRate(limit) }) })
}

/** Title and explanation of a notice. */
export function noticeWords(notice: Notice, jobName: (id: string) => string): { readonly title: string; readonly text: string } {
  const text = words.notice
  switch (notice.type) {
    case 'settings-damaged':
      return { title: text.settingsDamaged, text: text.movedTo(notice.movedTo) }
    case 'jobs-damaged':
      return { title: text.jobsDamaged, text: text.movedTo(notice.movedTo) }
    case 'secrets-damaged':
      return { title: text.secretsDamaged, text: text.movedTo(notice.movedTo) }
    case 'secrets-in-file':
      return { title: text.secretsInFile, text: text.secretsInFileText }
    case 'home-was-open':
      return { title: text.homeWasOpen, text: text.homeWasOpenText(notice.folder) }
    case 'old-runtime':
      return { title: text.oldRuntime, text: text.oldRuntimeText(notice.version) }
    case 'late':
      return { title: text.late(notice.late), text: text.lateText(notice.late) }
    case 'password':
      return { title: passwordWords.notice(jobName(notice.jobId)), text: passwordWords.noticeText }
    case 'kit':
      return { title: kitWords.notice(jobName(notice.jobId)), text: kitWords.noticeText }
    case 'engine-crashed':
      return { title: text.crashed(jobName(notice.jobId)), text: notice.givenUp ? text.crashedGivenUp(notice.restarts) : text.crashedAgain }
  }
}
