#pragma once
// LMDB's calls with values passed as pointer and count, so that Swift builds no MDB_val, and the
// checksum that LMDB itself lacks.
#include <lmdb.h>
#include <stddef.h>
#include <stdint.h>

// 0 and the value (valid until the transaction ends or writes), or an error number.
static inline int lmdb_get(MDB_txn *_Nonnull txn, MDB_dbi table, const void *_Nonnull key,
                           size_t key_bytes, const void *_Nullable *_Nonnull value,
                           size_t *_Nonnull value_bytes) {
    MDB_val k = {key_bytes, (void *)key};
    MDB_val v = {0, NULL};
    int result = mdb_get(txn, table, &k, &v);
    *value = v.mv_data;
    *value_bytes = v.mv_size;
    return result;
}

// Reserves room for the record and hands out where to write it.
static inline int lmdb_reserve(MDB_txn *_Nonnull txn, MDB_dbi table, const void *_Nonnull key,
                               size_t key_bytes, size_t value_bytes,
                               void *_Nullable *_Nonnull value) {
    MDB_val k = {key_bytes, (void *)key};
    MDB_val v = {value_bytes, NULL};
    int result = mdb_put(txn, table, &k, &v, MDB_RESERVE);
    *value = v.mv_data;
    return result;
}

static inline int lmdb_delete(MDB_txn *_Nonnull txn, MDB_dbi table, const void *_Nonnull key,
                              size_t key_bytes) {
    MDB_val k = {key_bytes, (void *)key};
    return mdb_del(txn, table, &k, NULL);
}

// Moves to the first record at or after `*key` (op MDB_SET_RANGE), or to the next (MDB_NEXT).
static inline int lmdb_move(MDB_cursor *_Nonnull cursor, const void *_Nullable *_Nonnull key,
                            size_t *_Nonnull key_bytes, const void *_Nullable *_Nonnull value,
                            size_t *_Nonnull value_bytes, MDB_cursor_op op) {
    MDB_val k = {*key_bytes, (void *)*key};
    MDB_val v = {0, NULL};
    int result = mdb_cursor_get(cursor, &k, &v, op);
    *key = k.mv_data;
    *key_bytes = k.mv_size;
    *value = v.mv_data;
    *value_bytes = v.mv_size;
    return result;
}

// CRC-32C (Castagnoli), reflected, four bits at a time. Start with 0.
static inline uint32_t lmdb_crc32c(uint32_t crc, const void *_Nullable bytes, size_t count) {
    static const uint32_t table[16] = {0x00000000,
                                       0x105ec76f,
                                       0x20bd8ede,
                                       0x30e349b1,
                                       0x417b1dbc,
                                       0x5125dad3,
                                       0x61c69362,
                                       0x7198540d,
                                       0x82f63b78,
                                       0x92a8fc17,
                                       0xa24bb5a6,
                                       0xb21572c9,
                                       0xc38d26c4,
                                       0xd3d3e1ab,
                                       0xe330a81a,
                                       0xf36e6f75};
    const uint8_t *next = (const uint8_t *)bytes;
    crc = ~crc;
    for (size_t i = 0; i < count; i++) {
        crc ^= next[i];
        crc = (crc >> 4) ^ table[crc & 15];
        crc = (crc >> 4) ^ table[crc & 15];
    }
    return ~crc;
}
