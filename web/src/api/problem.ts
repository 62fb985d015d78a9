import type { components } from './schema';

export type Problem = components['schemas']['Problem'];

/** What a person is told when no answer came from Sluice itself. */
function described(status: number): { title: string; detail: string } {
  if (status === 0) {
    return {
      title: 'No connection',
      detail: 'Sluice could not be reached. What you see may be old. Nothing that you have typed is lost; it works again once the connection is back.',
    };
  }
  return {
    title: status === 429 ? 'Too many requests' : 'Unexpected answer',
    detail: `The server answered ${status} without saying why. Whether your change was made is not known: load the page again to see.`,
  };
}

/** An answer that was no success, or no answer at all (status 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly mistakes: NonNullable<Problem['mistakes']>;
  readonly problems: NonNullable<Problem['problems']>;
  /** traceparent or request id of the answer, for the people who run the site. */
  readonly trace: string | null;

  constructor(problem: Partial<Problem> & { status: number }, trace: string | null = null) {
    const fallback = described(problem.status);
    super(problem.detail ?? fallback.detail);
    this.name = 'ApiError';
    this.status = problem.status;
    this.code = problem.code ?? '';
    this.title = problem.title ?? fallback.title;
    this.detail = problem.detail ?? fallback.detail;
    this.mistakes = problem.mistakes ?? [];
    this.problems = problem.problems ?? [];
    this.trace = trace;
  }

  /** Somebody else was faster, or it is over. */
  get isConflict(): boolean {
    return this.status === 409 || this.status === 412 || ['W0409', 'W0410', 'W0411', 'W0412', 'W0423'].includes(this.code);
  }

  get isOffline(): boolean {
    return this.status === 0;
  }
}

export async function errorOf(response: Response): Promise<ApiError> {
  const trace = response.headers.get('x-request-id') ?? response.headers.get('traceparent');
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => ({}));
  return new ApiError({ ...(typeof body === 'object' ? body : {}), status: response.status }, trace);
}

/** Any thrown value as an [`ApiError`], for showing. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError({ status: -1, title: 'Something went wrong in this page', detail: error instanceof Error ? error.message : String(error) });
}
