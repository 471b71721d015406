package io.tidemill.feedback.answer;

/**
 * One sampled token and the text that it brought.
 *
 * @param text           what the answer grew by; empty while a character is incomplete or a stop text may be coming
 * @param bytes          UTF-8 bytes of the token alone
 * @param logProbability at temperature 1 with nothing cut off; nats
 */
public record Piece(int token, float logProbability, String text, byte[] bytes) {}
