/** Why a channel is closed: workers read the name, and give the channel up for good unless the code is 1011. */
const CLOSE_CODES = {
  authorization_failed: 1008,
  unsupported_version: 1008,
  protocol_error: 1002,
  heartbeat_persistence_failed: 1011,
  transient_server_error: 1011,
} as const;
type CloseReason = keyof typeof CLOSE_CODES;

/** The channel must be closed, for this reason. */
export class ChannelClosing extends Error {
  override readonly name = 'ChannelClosing';
  readonly reason: CloseReason;
  readonly code: number;
  constructor(reason: CloseReason, options?: ErrorOptions) {
    super(reason, options);
    this.reason = reason;
    this.code = CLOSE_CODES[reason];
  }
}
