import type { Cause } from '../http/failure.ts'

const role = 'Give the service account (or the account) the role "Storage Object Admin" on the bucket.'
const held = 'Wait until that time is over, or use a bucket without a retention policy: replacing and pruning need to delete.'
const billing: Cause = { code: 'denied', said: 'The billing of the bucket\'s project is switched off or in arrears.', advice: 'Look into the project\'s billing in the Google Cloud console.' }

/** What only Cloud Storage says. https://cloud.google.com/storage/docs/json_api/v1/status-codes */
export const gcsCauses: Readonly<Record<string, Cause>> = {
  forbidden: { code: 'denied', said: 'Cloud Storage refuses the operation.', advice: role },
  insufficientPermissions: { code: 'denied', said: 'Cloud Storage refuses the operation: what was signed in with may not use storage.', advice: role },
  retentionPolicyNotMet: { code: 'denied', said: 'The bucket\'s retention policy keeps the object for now.', advice: held },
  objectUnderActiveHold: { code: 'denied', said: 'The object is held and can be neither replaced nor deleted.', advice: 'Release the hold in the Google Cloud console, or use a bucket without default holds.' },
  accountDisabled: billing,
  userProjectMissing: { code: 'denied', said: 'The bucket lets whoever asks pay (Requester Pays).', advice: 'Switch Requester Pays off for the bucket.' },
  quotaExceeded: { code: 'full', said: 'A quota of the bucket\'s project is used up.', advice: 'Look into the project\'s quotas in the Google Cloud console.' },
  uploadBrokenConnection: { code: 'unavailable', said: 'The connection broke off in the middle of an upload.' },
  // Of a request as ours are, only the checksums that go with it can be wrong.
  invalid: { code: 'unavailable', said: 'Cloud Storage received other bytes than were sent.', advice: 'Run the command again. If it happens again, the network or memory of a machine on the way is at fault.' },
}

/** Of a bucket that is not there. */
export const noBucket: Cause = { code: 'arguments', said: 'The bucket does not exist.', advice: 'Check the bucket\'s name in the address, or make the bucket in the Google Cloud console.' }
