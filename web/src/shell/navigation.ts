import { hasRole, type Role } from '../auth/session';
import type { IconName } from '../ui';

interface Place {
  readonly href: string;
  readonly label: string;
  readonly icon: IconName;
  readonly roles: readonly Role[];
}

const PLACES: readonly Place[] = [
  { href: '/dashboard', label: 'Dashboard', icon: 'dashboard', roles: ['Reviewer', 'Operator', 'Engineer', 'Auditor'] },
  { href: '/reviews', label: 'Reviews', icon: 'review', roles: ['Reviewer', 'Operator', 'Engineer', 'Auditor'] },
  { href: '/runs', label: 'Runs', icon: 'run', roles: ['Reviewer', 'Operator', 'Engineer', 'Auditor'] },
  { href: '/pipelines', label: 'Pipelines', icon: 'pipeline', roles: ['Reviewer', 'Operator', 'Engineer', 'Auditor'] },
  { href: '/uploads', label: 'Uploads', icon: 'upload', roles: ['Partner', 'Operator'] },
];

/** Where this person may go. The API checks again. */
export const places = (): readonly Place[] => PLACES.filter((place) => hasRole(...place.roles));
