/** What a person is told when an upload stops: what happened, whether anything is lost, what to do. */

export interface UploadFault {
  readonly title: string;
  readonly detail: string;
  /** Whether another try may help. */
  readonly again: boolean;
}

const KEPT = 'What was sent is kept for a week';

export function uploadFault(kind: 'offline' | 'exists' | 'unreadable' | 'other-tab' | 'storage', about = ''): UploadFault {
  switch (kind) {
    case 'offline':
      return {
        title: 'The connection is lost',
        detail: `The storage account could not be reached after several tries. ${KEPT}: continue when the connection is back.`,
        again: true,
      };
    case 'exists':
      return {
        title: 'There is a file at this path already',
        detail: `A file that was sent is never overwritten, so nothing was changed at ${about}. Send this one under another path.`,
        again: false,
      };
    case 'unreadable':
      return {
        title: 'The file can no longer be read',
        detail: `It was changed, moved or deleted while it was sent (${about}). Nothing was taken yet. Choose the file again.`,
        again: false,
      };
    case 'other-tab':
      return {
        title: 'Another tab sends this file',
        detail: 'It goes on there; nothing is lost. Close that tab first if you want to continue here.',
        again: true,
      };
    case 'storage':
      return {
        title: 'The storage account refuses the upload',
        detail: `It answered ${about}. ${KEPT}: continue, and if it is refused again, tell the operator of this Sluice that answer.`,
        again: true,
      };
  }
}
