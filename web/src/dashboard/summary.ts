import { api, ok } from '../api/client';
import type { components } from '../api/schema';

type Schemas = components['schemas'];

export type Summary = Schemas['SummaryView'];
export type DayCount = Schemas['DayView'];
export type Silence = Schemas['SilenceView'];

export const loadSummary = (days: number): Promise<Summary> => ok(api.GET('/summary', { params: { query: { days } } }));
