// A heap of blocks in sizes of powers of two, with a list of free blocks for each size.
#pragma once
#include "proxy_wasm.h"

enum { PAGE_BYTES = 65536, CLASS_FIRST = 4, CLASS_COUNT = 28 };

// Stands before each block; 8 bytes, so that blocks are aligned to 8.
typedef struct header {
  u32 size_class;
  struct header *next_free;
} header;

extern u8 __heap_base;
static header *free_blocks[CLASS_COUNT];
static u32 heap_end; // of what has been cut into blocks; 0: nothing yet

static inline u32 size_class_of(u32 size) {
  u32 size_class = CLASS_FIRST;
  while ((1u << size_class) < size) size_class++;
  return size_class;
}

// Null when the block would be larger than 128 MiB or the memory cannot grow.
static inline void *heap_allocate(u32 size) {
  if (size > (1u << (CLASS_COUNT - 1))) return 0;
  u32 size_class = size_class_of(size);
  header *block = free_blocks[size_class];
  if (block) {
    free_blocks[size_class] = block->next_free;
    return block + 1;
  }
  if (heap_end == 0) heap_end = ((u32)&__heap_base + 7) & ~7u;
  u32 end = heap_end + sizeof(header) + (1u << size_class);
  u32 have = (u32)__builtin_wasm_memory_size(0) * PAGE_BYTES;
  if (end > have) {
    u32 pages = (end - have + PAGE_BYTES - 1) / PAGE_BYTES;
    if (__builtin_wasm_memory_grow(0, pages) == (u32)-1) return 0;
  }
  block = (header *)heap_end;
  heap_end = end;
  block->size_class = size_class;
  return block + 1;
}

static inline void heap_free(void *address) {
  if (address == 0) return;
  header *block = (header *)address - 1;
  block->next_free = free_blocks[block->size_class];
  free_blocks[block->size_class] = block;
}
