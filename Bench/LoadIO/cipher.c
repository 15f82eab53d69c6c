#include "cipher.h"

#include <errno.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <string.h>

static int sodium_opens(struct cipher *self, uint8_t *out, const uint8_t *in, size_t bytes,
                        const uint8_t *nonce) {
    return crypto_aead_chacha20poly1305_ietf_decrypt(
               out, NULL, NULL, in, bytes, NULL, 0, nonce, self->key) == 0;
}

static int sodium_seals(struct cipher *self, uint8_t *out, const uint8_t *in, size_t bytes,
                        const uint8_t *nonce) {
    return crypto_aead_chacha20poly1305_ietf_encrypt(
               out, NULL, in, bytes, NULL, 0, NULL, nonce, self->key) == 0;
}

static int crypto_opens(struct cipher *self, uint8_t *out, const uint8_t *in, size_t bytes,
                        const uint8_t *nonce) {
    int done = 0;
    const size_t text = bytes - BARE_TAG_BYTES;
    uint8_t tag[BARE_TAG_BYTES];
    memcpy(tag, in + text, sizeof tag);
    return EVP_CipherInit_ex(self->context, NULL, NULL, NULL, nonce, 0) == 1 &&
           EVP_CipherUpdate(self->context, out, &done, in, (int)text) == 1 &&
           EVP_CIPHER_CTX_ctrl(self->context, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) == 1 &&
           EVP_CipherFinal_ex(self->context, out + done, &done) == 1;
}

static int crypto_seals(struct cipher *self, uint8_t *out, const uint8_t *in, size_t bytes,
                        const uint8_t *nonce) {
    int done = 0;
    return EVP_CipherInit_ex(self->context, NULL, NULL, NULL, nonce, 1) == 1 &&
           EVP_CipherUpdate(self->context, out, &done, in, (int)bytes) == 1 &&
           EVP_CipherFinal_ex(self->context, out + done, &done) == 1 &&
           EVP_CIPHER_CTX_ctrl(self->context, EVP_CTRL_AEAD_GET_TAG, BARE_TAG_BYTES, out + bytes) ==
               1;
}

int cipher_make(struct cipher *out, enum bare_cipher kind, const uint8_t *key) {
    memset(out, 0, sizeof *out);
    memcpy(out->key, key, sizeof out->key);
    if (kind == BARE_SODIUM) {
        out->open = sodium_opens;
        out->seal = sodium_seals;
        return sodium_init() < 0 ? -ENOSYS : 0;
    }
    out->open = crypto_opens;
    out->seal = crypto_seals;
    out->context = EVP_CIPHER_CTX_new();
    if (!out->context) return -ENOMEM;
    if (EVP_CipherInit_ex(out->context, EVP_chacha20_poly1305(), NULL, key, NULL, 1) == 1) return 0;
    cipher_free(out);
    return -ENOSYS;
}

void cipher_free(struct cipher *cipher) {
    EVP_CIPHER_CTX_free(cipher->context);
    cipher->context = NULL;
}
