/*
 * Packets as bytes of Python. Through cffi each would take a buffer of its own,
 * and several calls.
 *
 * A packet is not read where the other end wrote it: while one thread holds a
 * packet, another could not read from the flow.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <ouroboros/dev.h>

#include <pthread.h>
#include <stdlib.h>

/* No packet is larger than FLOWGMAXMSG says, which is 16 MiB. With a byte more a packet never fills the room. */
#define ROOM (16 * 1024 * 1024 + 1)

/* A thread does not keep the memory of a packet that was larger. */
#define KEPT (1024 * 1024)

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t  key;
static int            key_error;

static void create_key(void)
{
    key_error = pthread_key_create(&key, free);
}

/* Room of this thread for a packet. The kernel gives memory for what was once used of it. */
static char * own_room(void)
{
    char * room;

    pthread_once(&once, create_key);
    if (key_error != 0)
        return NULL;
    room = pthread_getspecific(key);
    if (room != NULL)
        return room;
    room = malloc(ROOM);
    if (room == NULL || pthread_setspecific(key, room) == 0)
        return room;
    free(room);
    return NULL;
}

static void give_back(char * room)
{
    if (pthread_setspecific(key, NULL) == 0)
        free(room);
}

static PyObject * read_bytes(PyObject * module,
                             PyObject * arguments)
{
    int        fd;
    Py_ssize_t count;
    ssize_t    size;
    size_t     limit;
    PyObject * result;
    char *     room = own_room();

    (void) module;
    if (room == NULL)
        return PyErr_NoMemory();
    if (!PyArg_ParseTuple(arguments, "in", &fd, &count))
        return NULL;
    limit = count < 0 || count > ROOM ? ROOM : count;

    Py_BEGIN_ALLOW_THREADS
    do
        size = flow_read(fd, room, limit);
    while (size == 0 && count < 0); /* The mark at the end of one that was read in parts. */
    Py_END_ALLOW_THREADS

    /* No Python has run in this thread meanwhile, which could have read to the same room. */
    result = size < 0 ? PyLong_FromSsize_t(size) : PyBytes_FromStringAndSize(room, size);
    if (size > KEPT)
        give_back(room);
    return result;
}

static PyMethodDef functions[] = {
    { "read_bytes", read_bytes, METH_VARARGS,
      "Read up to so many bytes of a packet, or with -1 all. Returns bytes, or the negative number of the library." },
    { NULL, NULL, 0, NULL }
};

static PyModuleDef_Slot slots[] = {
    { 0, NULL }
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_packets",
    .m_methods = functions,
    .m_slots = slots
};

PyMODINIT_FUNC PyInit__packets(void)
{
    return PyModuleDef_Init(&definition);
}
