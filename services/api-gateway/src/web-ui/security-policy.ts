/**
 * The Content-Security-Policy of the applications: they run, and talk to nobody but us and the API they were given, not to
 * the analytics and feedback services that they know. Images may come from anywhere, since block types and artifacts of
 * users name them. The graph compiles its shaders (`unsafe-eval`); styles are set from scripts.
 */
export function writeSecurityPolicy(apiUrl: string | undefined): string {
  const api = apiUrl !== undefined && URL.canParse(apiUrl) ? ` ${new URL(apiUrl).origin}` : '';
  return [
    "default-src 'self'",
    "script-src 'self' 'unsafe-eval'",
    "worker-src 'self' blob:",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob: http: https:",
    "font-src 'self' data:",
    `connect-src 'self' data: blob:${api}`,
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'self'",
  ].join('; ');
}
