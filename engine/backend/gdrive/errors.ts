import type { Cause } from '../http/failure.ts'

const full: Cause = { code: 'full', said: 'The Google account has no space left.', advice: 'Free space in Google Drive, Gmail or Photos (they share it; the bin counts too), or buy more.' }
const tooMany: Cause = { code: 'full', said: 'Google Drive holds as many files as it allows.', advice: 'Prune the repository, or use another account or folder.' }

/** What only Drive says. https://developers.google.com/workspace/drive/api/guides/handle-errors, …/guides/limits */
export const driveCauses: Readonly<Record<string, Cause>> = {
  storageQuotaExceeded: full,
  quotaExceeded: full,
  activeItemCreationLimitExceeded: tooMany,
  numChildrenInNonRootLimitExceeded: tooMany,
  teamDriveFileLimitExceeded: tooMany,
  sharingRateLimitExceeded: { code: 'throttled', said: 'Google asks to go slower.' },
  insufficientFilePermissions: { code: 'denied', said: 'The Google account may not change the file.', advice: 'Files of the repository have to belong to the account that is signed in.' },
  appNotAuthorizedToFile: { code: 'denied', said: 'The file was not made by Holdfast, and Google does not let it have it.', advice: 'Files that were copied or uploaded by hand are invisible to Holdfast: back up into a folder that it makes itself.' },
  cannotDownloadAbusiveFile: { code: 'denied', said: 'Google takes the file for malware and does not give it out.', advice: 'Ask Google for a review of the file (in Drive, with its owner\'s account). Holdfast does not override the warning.' },
  downloadQuotaExceeded: { code: 'unavailable', said: 'The file was downloaded too often today.', advice: 'Wait until tomorrow.' },
  domainPolicy: { code: 'denied', said: 'The administrator of the Google account does not allow apps to use Drive.', advice: 'Ask the administrator, or use another account.' },
}
