import { placeWords } from '../../main/api/providers.ts'
import { visibleText } from '../../main/api/text.ts'
import type { JobConfigView, LateBackup, Note, Notice, Request, RunView, SettingsView } from '../state/bridge.ts'
import * as m from '../../main/text/compiled/messages.js'
import { formatBytes, formatCount, formatRate, formatThings } from './format.ts'
import { kitWords } from './kit.ts'
import { passwordWords } from './password.ts'
import { lateWords } from './unusual.ts'
import type { ExcludePreset } from '../state/job-form.ts'

const leftOut = (count: number): string => (count === 0 ? '' : `, ${formatCount(count)} left out`)

/** What a backup passes over, or stores otherwise, by its kind: how often, and where it was met first. */
const noteWords: Readonly<Record<Note['code'], (count: number, path: string) => string>> = {
  socket: (count, path) => `${formatThings(count, 'socket', 'sockets')} left out, for lack of any content: ${path}${count > 1 ? ' and others' : ''}`,
  device: (count, path) => `${formatThings(count, 'device', 'devices')} left out: ${path}${count > 1 ? ' and others' : ''}`,
  'own-folder': (_count, path) => `The backup itself and Holdfast’s own folder are left out: ${path}`,
  time: (count, path) => `${formatThings(count, 'time', 'times')} beyond the years 1677 to 2262 stored as the nearest in them: ${path}`,
  attributes: (count, path) => `Extended attributes that cannot be read: ${formatThings(count, 'entry', 'entries')}, first ${path}`,
  database: (count, path) => `${formatThings(count, 'database', 'databases')} in use could not be copied in one state: ${path}${count > 1 ? ' and others' : ''}`,
}

/** Every sentence of the window but errors and states (errors.ts, status.ts). A translation replaces this folder. */
export const words = {
  app: 'Holdfast',
  tryAgain: 'Try again',
  close: 'Close',
  cancel: 'Cancel',
  back: 'Back',
  loading: 'Loading…',
  dismiss: 'Dismiss',
  navigation: { label: 'Pages', jobs: 'Backups', restore: 'Restore', settings: 'Settings', jobList: 'Backup jobs' },
  summary: {
    idle: 'Nothing is running',
    pausedAll: 'Everything is paused',
    running: (count: number) => formatThings(count, 'job running', 'jobs running'),
    rate: (bytesPerSecond: number) => formatRate(bytesPerSecond),
    pauseAll: 'Pause all',
    resumeAll: 'Resume all',
  },
  jobs: {
    title: 'Backups',
    add: 'Add job',
    run: 'Back up now',
    runLabel: (name: string) => `Back up now: ${name}`,
    stopLabel: (name: string) => `Stop ${name}`,
    pauseLabel: (name: string) => `Pause ${name}`,
    resumeLabel: (name: string) => `Resume ${name}`,
    pause: 'Pause',
    resume: 'Resume',
    stop: 'Stop',
    open: (name: string, state: string) => `Open ${name}: ${state}`,
    manual: 'Only by hand',
    lastSuccess: (age: string) => `last success ${age}`,
    waits: {
      next: (moment: string) => `Next: ${moment}`,
      changes: 'Waits for a change',
      retry: (moment: string) => `Tries again: ${moment}`,
      destinationAway: 'Waits for its destination to be back',
      sourceAway: 'Waits for its source to be back',
      paused: 'Schedule is paused',
      signIn: 'Waits until then',
      place: (most: number) => (most === 1 ? 'Waits for the job that runs' : `Waits for one of ${most} jobs that run`),
      repository: 'Waits for what runs in the same repository',
      quiet: 'Waits for a quiet moment',
      ending: 'Holdfast is about to end',
    },
    signInLabel: (name: string) => `Sign in, so that ${name} can go on`,
    uploaded: (bytes: number) => `${formatBytes(bytes)} sent`,
    progressLabel: (name: string) => `Progress of ${name}`,
    first: {
      title: 'Keep your files safe',
      text: 'Choose folders, say where their backup goes, and Holdfast does the rest: encrypted before it leaves this computer, stored once however often you copy a file, and checked after every run.',
      action: 'Back up this computer',
      steps: ['Choose what to back up', 'Choose where it goes', 'Set a password'],
    },
  },
  job: {
    edit: 'Edit job',
    remove: 'Delete job…',
    acceptOlder: 'Use the older repository…',
    hold: {
      title: 'An unusual change',
      short: 'Held: an unusual change',
      kept: (since: string) => `Since ${since} nothing older is let go. Look at the files first; if all is as it should be, say so.`,
      fine: 'It is fine, go on…',
      released: (name: string) => `“${name}” is no longer held`,
    },
    more: 'More actions',
    copyCommand: 'Copy command line',
    commandCopied: 'The command is on the clipboard, without password and keys',
    restore: 'Restore files',
    openDestination: 'Open destination folder',
    lanes: 'Transfers',
    laneList: 'Transfers in progress',
    noLanes: 'No transfer at the moment',
    counters: 'Counters',
    files: 'Files',
    about: 'About this job',
    history: 'History',
    historyEmpty: 'No run yet. The first backup sends all that is not there yet; later ones send only what changed.',
    historyMore: 'Show older runs',
    queued: 'It starts when another job is done. How many run at once is a setting.',
    queuedPaused: 'It starts when you resume.',
    queuedSignIn: 'It starts when somebody has signed in.',
    problemsSoFar: (count: number) => `${formatThings(count, 'warning', 'warnings')} so far`,
    sources: 'Sources',
    destination: 'Destination',
    schedule: 'Schedule',
    limits: 'Uploads',
    missing: 'This job is no longer there',
    toJobs: 'Go to the list of backups',
    removed: (name: string) => `“${name}” was deleted`,
    saved: (name: string) => `“${name}” was saved`,
    waitingTitle: 'Nothing is lost. Transfers go on by themselves as soon as it is back.',
    waitingSince: (duration: string) => `Waiting for ${duration}.`,
    startLabel: 'Starting…',
  },
  stop: {
    title: (name: string) => `Stop “${name}”?`,
    text: 'What was already sent is kept. The next run continues from there.',
    drain: 'Finish current transfers, then stop',
    cancel: 'Stop at once',
    keep: 'Keep running',
  },
  history: {
    columns: { result: 'Result', started: 'Started', duration: 'Took', files: 'New files', sent: 'Sent' },
    show: (moment: string) => `Show details of the run of ${moment}`,
    problems: 'Warnings',
    moreProblems: 'Show more warnings',
    kept: (shown: number, all: number) => `The first ${formatCount(shown)} of ${formatCount(all)} warnings; the log has them all.`,
    copyLog: 'Copy log of this run',
    copied: (lines: number) => `${formatThings(lines, 'log line', 'log lines')} copied`,
    trigger: { manual: 'Started by hand', schedule: 'Started by schedule', 'catch-up': 'Made up for a missed run' } satisfies Record<RunView['trigger'], string>,
    snapshot: (id: string) => `Snapshot ${id}`,
    note: (note: Note) => noteWords[note.code](note.count, visibleText(note.path)),
    verified: (bytes: number) => `${formatBytes(bytes)} of the repository read back and verified`,
    adopted: (packs: number) => `${formatThings(packs, 'pack', 'packs')} of an interrupted run taken over`,
    restarts: (count: number) => `Started again ${formatThings(count, 'time', 'times')} after a crash`,
    browse: 'Browse this snapshot',
  },
  form: {
    addTitle: 'Add job',
    editTitle: (name: string) => `Edit “${name}”`,
    what: 'What to back up',
    where: 'Where it goes',
    password: 'Encryption',
    when: 'When it runs',
    excludes: 'What to leave out',
    name: 'Name',
    nameHint: 'Part of the name of every snapshot; it cannot be changed later.',
    nameFixed: 'The name is part of the snapshots and stays.',
    sources: 'Folders',
    addFolder: 'Add folders…',
    removeSource: (path: string) => `Remove ${path}`,
    noSources: 'No folder chosen yet.',
    destinationType: 'Destination',
    folderType: 'Folder or disk',
    destinationGroups: { near: 'Disks and servers', cloud: 'Cloud storage' },
    folderSummary: 'A disk, a USB stick or a network drive of this computer',
    preset: 'Service',
    noPreset: 'Another one',
    moreOptions: 'More options',
    folder: 'Backup folder',
    folderNone: 'No folder chosen yet.',
    chooseFolder: 'Choose…',
    openOnTheWay: 'Not encrypted on the way: files stay sealed, but names of objects, and passwords or signed requests, can be read. Use an encrypted connection if you can.',
    unchanged: 'Unchanged',
    optional: 'Optional',
    test: 'Test connection',
    testing: 'Testing…',
    repositoryPassword: 'Password of the repository',
    changePassword: 'Stored password',
    changePasswordHint: 'Enter it only when the repository’s password was changed elsewhere.',
    sameTitle: 'The job’s own repository is at this address',
    sameText: 'The job moves there with its history, and its stored password goes on being used.',
    movedTitle: 'Another destination: enter its password and keys',
    movedText: 'What is stored for the old destination is used for no other. Where the same repository has moved, test the connection: its password is known. Holdfast asks once more before the job moves.',
    confirmation: 'Repeat the password',
    warningTitle: 'Nobody can recover this password',
    warning: 'Everything is encrypted with it before it leaves this computer. Without it the backup cannot be read, not by us either. Write it down and keep it somewhere safe.',
    opensText: { job: 'This password opens the repository that is already there. The job joins it.', copy: 'This password opens the repository that is already there. What it lacks is copied into it.' },
    concurrency: 'Uploads at a time',
    concurrencyHint: 'Holdfast uses fewer where the storage asks for it.',
    limited: 'Limit the upload speed of this job',
    limit: 'Upload limit',
    presets: {
      caches: { label: 'Caches', hint: 'Browser and program caches' },
      trash: { label: 'Trash', hint: 'Files you have thrown away' },
      node_modules: { label: 'node_modules', hint: 'Downloaded packages' },
      nobackup: { label: 'Folders with a .nobackup file', hint: 'Your own mark' },
      cachedir: { label: 'Folders with a CACHEDIR.TAG', hint: 'The common mark for caches' },
      nodump: { label: 'What is marked “no dump”', hint: 'The mark of chattr +d' },
    } satisfies Record<ExcludePreset, { label: string; hint: string }>,
    oneFileSystem: 'Stay on the same disk',
    oneFileSystemHint: 'Leave out other disks and network drives mounted inside a source.',
    largerThan: 'Leave out large files',
    largerThanSize: 'Larger than',
    patterns: 'Patterns',
    patternsHint: 'One a line, as in .gitignore: *.iso, /Downloads/, !keep.iso',
    create: 'Create job',
    createAndRun: 'Create and back up now',
    save: 'Save',
    fix: 'Some fields need your attention.',
  },
  test: {
    none: 'Connection works',
    noneText: { job: 'There is no repository here yet. The first backup creates one.', copy: 'There is no repository here yet. The first copy creates one.' },
    exists: 'Found a repository, and the password opens it',
    existsNoPassword: 'Found a repository',
    existsText: { job: 'The job joins it and shares its stored data.', copy: 'What it lacks is copied into it.' },
    exclusive: 'Writable, with exclusive creation: several computers can share it safely.',
    flags: 'Writable. Exclusive creation is missing, so a slower but equally safe mode is used.',
    serverKey: (key: string) => `The server’s key is ${key}. Compare it with what its administrator says.`,
    says: (name: string, text: string) => `${name} says: “${text}”`,
    connections: (count: number) => `Bears up to ${formatThings(count, 'transfer', 'transfers')} at a time.`,
  },
  password: {
    show: 'Show password',
    hide: 'Hide password',
    advice: 'Try four or five random words.',
    strength: ['Guessed at once', 'Weak: too easy to guess', 'Fair: a few words more would help', 'Good', 'Strong'] as const,
  },
  lane: {
    free: 'Free',
    label: (name: string, percent: string) => `${name} ${percent}`.trim(),
    attempt: (attempt: number) => `attempt ${attempt}`,
    state: { done: 'done', failed: 'failed' },
  },
  restore: {
    title: 'Restore',
    job: 'Backup of',
    snapshots: 'Snapshots',
    noJobs: 'Nothing to restore yet',
    noJobsText: 'Add a job first. To restore from a backup made on another computer, add a job with the address and password of its repository.',
    noSnapshots: 'No snapshot yet',
    noSnapshotsText: 'As soon as the first backup has finished, its files appear here.',
    opening: 'Opening the repository…',
    older: 'This repository is older than what this computer has seen of it',
    olderText: (missed: readonly string[]) => `${missed.slice(0, 3).join('; ')}${missed.length > 3 ? `; and ${missed.length - 3} more` : ''}. What is listed here may not be the newest.`,
    pick: 'Pick a snapshot',
    pickText: 'Each one shows your files as they were at that time.',
    allJobs: 'All jobs',
    filter: 'Show snapshots of',
    snapshotLabel: (job: string, moment: string) => `${job}, ${moment}`,
    snapshotFiles: (files: number, bytes: number) => `${formatThings(files, 'file', 'files')}, ${formatBytes(bytes)}`,
    pinned: 'Pinned: it is kept whatever the rules say',
    problems: (count: number) => formatThings(count, 'warning', 'warnings'),
    path: 'Folder',
    root: 'All sources',
    columns: { name: 'Name', size: 'Size', changed: 'Changed' },
    emptyFolder: 'This folder is empty',
    more: 'Loading more…',
    loaded: (count: number, more: boolean) => (more ? `first ${formatCount(count)} entries` : formatThings(count, 'entry', 'entries')),
    choose: (name: string) => `Choose ${name}`,
    openFolder: (name: string) => `Open ${name}`,
    nothingChosen: 'Nothing chosen',
    chosen: (count: number, without: number) => `${formatThings(count, 'item', 'items')} chosen${leftOut(without)}`,
    clear: 'Clear',
    start: 'Restore…',
    startAll: 'Restore everything…',
    entryTypes: { file: 'File', directory: 'Folder', symlink: 'Link', fifo: 'Named pipe' },
    linkTo: (target: string) => `→ ${target}`,
    running: 'Restores',
    runningTitle: (job: string) => `Restore of ${job}`,
    notThere: 'This restore is no longer there',
    target: 'To',
    from: 'From',
    everything: 'Everything',
    paths: (count: number, without: number) => `${formatThings(count, 'chosen item', 'chosen items')}${leftOut(without)}`,
    openTarget: 'Open folder',
    problemsTitle: 'Not everything could be restored as it was',
    dismiss: 'Dismiss',
  },
  restoreDialog: {
    title: 'Restore to a folder',
    what: (count: number, without: number, snapshot: string) =>
      count === 0 ? `Everything of ${snapshot}` : `${formatThings(count, 'chosen item', 'chosen items')} of ${snapshot}${leftOut(without)}`,
    target: 'Target folder',
    none: 'No folder chosen yet.',
    choose: 'Choose…',
    safe: 'Nothing outside of this folder is touched.',
    overwrite: 'When a file is already there',
    rules: {
      never: 'Keep it',
      changed: 'Replace it if it differs',
      older: 'Replace it if it is older',
      beside: 'Keep both: restore beside it, with the date in the name',
      always: 'Replace it if it differs; compare every byte',
    } satisfies Record<Request<'restore.start'>['overwrite'], string>,
    start: 'Start restore',
    needTarget: 'Choose a folder first.',
  },
  stopRestore: { title: 'Stop this restore?', text: 'Files that are restored already stay. Starting it again skips them.', stop: 'Stop restore', keep: 'Keep running' },
  settings: {
    title: 'Settings',
    general: 'General',
    language: m.settings_language(),
    languages: { system: m.settings_languageSystem(), en: 'English', de: 'Deutsch' } satisfies Record<SettingsView['language'], string>,
    theme: 'Appearance',
    themes: { system: 'Like the system', light: 'Light', dark: 'Dark' } satisfies Record<SettingsView['theme'], string>,
    autoStart: 'Start when you log in',
    autoStartHint: 'Holdfast starts hidden in the tray, so that scheduled backups run.',
    autoStartUnsupported: 'This system offers no way to start programs at login.',
    notifications: 'Notifications',
    notificationOptions: { all: 'All', failures: 'Warnings and failures only', none: 'None' } satisfies Record<SettingsView['notifications'], string>,
    performance: 'Speed',
    parallelJobs: 'Backups at once',
    parallelJobsHint: 'Others wait for their turn. Restores start at once.',
    defaultConcurrency: 'Uploads at a time, for new jobs',
    uploadLimit: 'Limit uploads of all jobs together',
    downloadLimit: 'Limit downloads of all jobs together',
    limitValue: 'At most',
    limitHint: 'Takes effect at once, also for jobs that are running.',
    security: 'Passwords and keys',
    keychain: 'Kept in the keychain of this system',
    keychainText: 'Passwords and access keys are protected by your login. They never appear in logs or command lines.',
    file: 'Kept in a file that only you can read',
    fileText: 'No keychain was found on this system. The file is encrypted with a key that lies beside it, so anyone who can read your home folder can read it.',
    about: 'About',
    version: 'Version',
    oldRuntime: (version: string) => `Runs on Electron ${version}, which gets no security fixes any more. For development and tests only.`,
    openLogs: 'Open log folder',
  },
  notice: {
    settingsDamaged: 'The settings could not be read',
    jobsDamaged: 'The list of jobs could not be read',
    secretsDamaged: 'The stored passwords could not be read',
    movedTo: (path: string) => `The damaged file was kept as ${path}. Your backups are not affected.`,
    homeWasOpen: 'Other users of this computer could change Holdfast’s settings',
    homeWasOpenText: (folder: string) => `${folder} is closed to them now. Look through your jobs: is each folder and destination as you set it?`,
    oldRuntime: 'This Holdfast is for tests only',
    oldRuntimeText: (version: string) => `It runs on Electron ${version}, which gets no security fixes any more. Do not trust your files to it.`,
    secretsInFile: 'No keychain was found',
    secretsInFileText: 'Passwords are kept in a file that only you can read. See Settings.',
    late: (late: readonly LateBackup[]) => (late.length === 1 ? 'A backup has not come for long' : `${formatCount(late.length)} backups have not come for long`),
    lateText: lateWords,
    crashed: (job: string) => `The backup of “${job}” ended unexpectedly`,
    crashedAgain: 'It was started again and continues where it stopped.',
    crashedGivenUp: (restarts: number) => `It was started again ${formatThings(restarts, 'time', 'times')} without success. What was sent is kept; try again later.`,
  },
  errors: {
    required: 'This is needed.',
    nameCharacters: 'Use up to 64 letters, digits, spaces, dots, hyphens and underscores.',
    nameTaken: 'Another job has this name.',
    signIn: 'Sign in first.',
    noSources: 'Choose at least one folder.',
    noFolder: 'Choose a folder.',
    insideSource: 'This folder lies inside a source; the backup would contain itself.',
    passwordShort: 'Use at least 8 characters.',
    passwordAgain: 'Enter the password for this destination; the stored one belongs to the old one.',
    passwordsDiffer: 'The two passwords differ.',
    concurrencyRange: 'Choose a number from 1 to 32.',
    jobsRange: 'Choose a number from 1 to 8.',
    positiveNumber: 'Enter a number above 0.',
    keptRange: 'Choose a number from 1 to 9999.',
    daysRange: 'Choose a number of days up to 36500.',
    keepSomething: 'Enter a number in one of the fields, or keep everything.',
    timeOfDay: 'Enter a time such as 20:00.',
  },
} as const

export type FieldError = keyof typeof words.errors

/** Where the backup goes, in one line. */
export function destinationWords(destination: JobConfigView['destination']): string {
  if (destination.type === 'folder') return destination.folder.path
  const { what, where } = placeWords(destination)
  return what === '' ? where : `${what} on ${where}`
}

export function limitsWords(config: JobConfigView): string {
  const limit = config.uploadBytesPerSecond
  return `${config.concurrency} at a time${limit === undefined ? '' : `, at most ${formatRate(limit)}`}`
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
