import { Button, type IconName } from '../ui';
import { setTheme, theme, type Theme } from '../ui/theme';

const NEXT: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };
const ICONS: Record<Theme, IconName> = { system: 'system', light: 'sun', dark: 'moon' };

export function ThemeSwitch() {
  const label = `Theme: ${theme.value}. Switch to ${NEXT[theme.value]}`;
  return <Button kind="quiet" size="small" icon={ICONS[theme.value]} aria-label={label} title={label} onClick={() => setTheme(NEXT[theme.value])} />;
}
