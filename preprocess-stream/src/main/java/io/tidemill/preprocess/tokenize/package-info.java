/**
 * Text to token ids: documents, demonstrations and corrections are cleaned, screened, de-duplicated and tokenized.
 *
 * <p>In flow {@code documents}, {@code demonstrations} and {@code preferences}, out flow
 * {@code token-sequences.<fingerprint>} and {@code rejected}. A restart repeats what was not committed and doubles
 * nothing; another tokenizer is another application, which reads all of its topics again.
 */
package io.tidemill.preprocess.tokenize;
