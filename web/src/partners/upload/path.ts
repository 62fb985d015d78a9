/** Where a file may go: names fitted into the paths that the partner's pipelines take. */

/** One segment of a glob as an expression. */
function segment(glob: string): RegExp {
  const escaped = glob.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.');
  return new RegExp(`^${escaped}$`, 'u');
}

/** The path of a file of this name below a glob such as `flights/*.csv`; null if the glob leaves the folder open, or takes no such name. */
export function fit(glob: string, name: string): string | null {
  const segments = glob.split('/').filter((part) => part !== '**');
  const last = segments.pop() ?? '';
  if (segments.some((part) => /[*?]/.test(part)) || !segment(last).test(name)) return null;
  return [...segments, name].join('/');
}

/** A path for each glob that takes the name, each once. */
export function suggest(globs: readonly string[], name: string): string[] {
  return [...new Set(globs.map((glob) => fit(glob, name)).filter((path) => path !== null))];
}

/** Name and ending, so that `a/b.csv.gz` is `a/b` and `.csv.gz`. */
function split(path: string): [string, string] {
  const found = /^(.*?[^/])((?:\.[A-Za-z0-9]+){1,2})$/.exec(path);
  return [found?.[1] ?? path, found?.[2] ?? ''];
}

/** A path for the repaired rows beside the file that they belong to, so that the same pipeline takes them. */
export function fixesPath(path: string, number: number): string {
  const [stem, ending] = split(path);
  return `${stem.replace(/-fixes-\d+$/, '')}-fixes-${number}${ending}`;
}
