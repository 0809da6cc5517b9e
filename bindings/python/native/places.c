/*
 * Packets in the memory that the two ends of a flow share, as types of Python.
 * Through cffi each packet took several calls and objects, which cost more than
 * a copy of a small packet.
 *
 * A Place is memory that the library lends. It is what the views of a packet
 * show, and it counts them. The library gets the memory back when the last view
 * ends, or the place itself. A packet of the program has a place and its view.
 * The views refer to the place and not to the packet, so a part of a view keeps
 * the memory lent when nobody refers to the packet any more.
 *
 * No Python runs while memory is given back, so a handler of a signal that
 * raises cannot prevent it.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <ouroboros/dev.h>
#include <ouroboros/errno.h>

#include <stdbool.h>

/*
 * The stable ABI has the buffer protocol since Python 3.11. Python 3.9 and 3.10
 * have the same structure, slots and flags, but hide them from its users.
 */
#if defined(Py_LIMITED_API) && Py_LIMITED_API + 0 < 0x030B0000
typedef struct {
    void *       buf;
    PyObject *   obj;
    Py_ssize_t   len;
    Py_ssize_t   itemsize;
    int          readonly;
    int          ndim;
    char *       format;
    Py_ssize_t * shape;
    Py_ssize_t * strides;
    Py_ssize_t * suboffsets;
    void *       internal;
} Py_buffer;

#define Py_bf_getbuffer     1
#define Py_bf_releasebuffer 2
#define PyBUF_WRITABLE      0x0001
#define PyBUF_FORMAT        0x0004
#define PyBUF_ND            0x0008
#define PyBUF_STRIDES       (0x0010 | PyBUF_ND)
#endif

/* What the functions of the module need of it. */
struct state {
    PyTypeObject * place;
    PyTypeObject * held;
    PyTypeObject * reserved;
    PyObject *     release; /* The name of a method of memoryview. */
};

static PyObject * refuse_to_make(PyTypeObject * type,
                                 PyObject *     arguments,
                                 PyObject *     keywords)
{
    (void) type;
    (void) arguments;
    (void) keywords;
    PyErr_SetString(PyExc_TypeError, "packets in place are made by Flow.peek and Flow.reserve, and by nothing else");
    return NULL;
}

/* Memory that is lent to the program until no view of it is left. */
struct place {
    PyObject_HEAD
    int        fd;
    bool       is_lent;
    bool       is_reserved; /* Otherwise a packet is held there.                */
    char *     address;
    Py_ssize_t size;
    Py_ssize_t views;       /* That the interpreter has taken and not returned. */
    size_t     count;       /* Bytes of a reserved packet that are to be sent.  */
    ssize_t    result;      /* Of flow_commit.                                  */
};

static void place_settle(struct place * place)
{
    if (!place->is_lent)
        return;
    place->is_lent = false;
    Py_BEGIN_ALLOW_THREADS
    if (place->is_reserved)
        place->result = flow_commit(place->fd, place->count);
    else
        /* That the flow has ended is no failure: the packet was read. */
        flow_release(place->fd);
    Py_END_ALLOW_THREADS
}

static void place_dealloc(PyObject * self)
{
    PyTypeObject * type = Py_TYPE(self);

    place_settle((struct place *) self);
    PyObject_Free(self);
    /* An object refers to its type, if that was made at run time. */
    Py_DECREF(type);
}

static int place_show(PyObject *  self,
                      Py_buffer * view,
                      int         flags)
{
    struct place * place = (struct place *) self;

    view->obj = NULL;
    if (!place->is_lent) {
        PyErr_SetString(PyExc_BufferError, "this memory is not lent any more");
        return -1;
    }
    if (!place->is_reserved && (flags & PyBUF_WRITABLE) != 0) {
        PyErr_SetString(PyExc_BufferError, "a packet of the other end cannot be written");
        return -1;
    }
    view->buf = place->address;
    view->obj = self;
    view->len = place->size;
    view->itemsize = 1;
    view->readonly = !place->is_reserved;
    view->ndim = 1;
    view->format = (flags & PyBUF_FORMAT) != 0 ? "B" : NULL;
    view->shape = (flags & PyBUF_ND) != 0 ? &view->len : NULL;
    view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? &view->itemsize : NULL;
    view->suboffsets = NULL;
    view->internal = NULL;
    Py_INCREF(self);
    place->views++;
    return 0;
}

static void place_hide(PyObject *  self,
                       Py_buffer * view)
{
    struct place * place = (struct place *) self;

    (void) view;
    if (--place->views == 0)
        place_settle(place);
}

static PyType_Slot place_slots[] = {
    { Py_tp_new, refuse_to_make },
    { Py_tp_dealloc, place_dealloc },
    { Py_bf_getbuffer, place_show },
    { Py_bf_releasebuffer, place_hide },
    { Py_tp_doc, "Memory that the library lends." },
    { 0, NULL }
};

static PyType_Spec place_spec = {
    .name = "ouroboros._places.Place",
    .basicsize = sizeof(struct place),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = place_slots
};

/*
 * Both kinds of packets. A cycle of references goes through an attribute of the
 * flow, where the collector of garbage breaks it. So packets have no tp_clear,
 * and always have all they need.
 */
struct packet {
    PyObject_HEAD
    PyObject *     module;
    PyObject *     flow;
    struct place * place;
    PyObject *     view; /* NULL as long as nobody has asked for it. */
};

static int packet_traverse(PyObject * self,
                           visitproc  visit,
                           void *     arg)
{
    struct packet * packet = (struct packet *) self;

    Py_VISIT(Py_TYPE(self));
    Py_VISIT(packet->module);
    Py_VISIT(packet->flow);
    Py_VISIT(packet->place);
    Py_VISIT(packet->view);
    return 0;
}

static void packet_dealloc(PyObject * self)
{
    struct packet * packet = (struct packet *) self;
    PyTypeObject *  type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    Py_CLEAR(packet->view);
    Py_CLEAR(packet->place);
    Py_CLEAR(packet->flow);
    Py_CLEAR(packet->module);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyObject * packet_reduce(PyObject * self,
                                PyObject * unused)
{
    (void) self;
    (void) unused;
    PyErr_SetString(PyExc_TypeError, "memory that is lent cannot be copied or pickled; its bytes can");
    return NULL;
}

/* Returns a new reference to the view; ValueError after the memory was given back. */
static PyObject * packet_view(PyObject * self,
                              void *     what_was_done)
{
    struct packet * packet = (struct packet *) self;
    PyObject *      view;

    if (!packet->place->is_lent) {
        PyErr_Format(PyExc_ValueError, "the packet was %s", (const char *) what_was_done);
        return NULL;
    }
    if (packet->view == NULL) {
        view = PyMemoryView_FromObject((PyObject *) packet->place);
        if (view == NULL)
            return NULL;
        /* Making it may have collected garbage, and a destructor may have asked for the view, too. */
        if (packet->view == NULL)
            packet->view = view;
        else
            Py_DECREF(view);
    }
    Py_INCREF(packet->view);
    return packet->view;
}

/*
 * Ends the view, and with it the loan; if count is not 0, so many bytes of a
 * reserved packet are sent. Returns -1 with BufferError, and the loan goes on,
 * if parts of the view are in use.
 */
static int packet_end(struct packet * packet,
                      size_t          count)
{
    struct place * place = packet->place;
    struct state * state = PyModule_GetState(packet->module);
    PyObject *     view = packet->view;
    PyObject *     before;
    PyObject *     answer;

    place->count = count;
    if (view != NULL) {
        answer = PyObject_CallMethodObjArgs(view, state->release, NULL);
        if (answer == NULL) {
            place->count = 0;
            return -1;
        }
        Py_DECREF(answer);
    }
    if (place->views > 0) {
        /* The view has ended, and the parts have not. Another view keeps the loan when they end. */
        place->count = 0;
        view = PyMemoryView_FromObject((PyObject *) place);
        if (view == NULL)
            return -1;
        before = packet->view;
        packet->view = view;
        Py_XDECREF(before);
        PyErr_SetString(PyExc_BufferError, "a part of this view is still in use; release it first");
        return -1;
    }
    /* The end of the view has done this already, if there was a view. */
    place_settle(place);
    return 0;
}

PyDoc_STRVAR(HeldPacket_doc,
"A packet that is shown in the place where the other end wrote it. ``Flow.peek`` makes it.\n"
"\n"
"::\n"
"\n"
"    with flow.peek() as packet:      # a memoryview that cannot be written\n"
"        total += sum(packet)\n"
"\n"
"Until the packet is released, nothing else can be read from the flow, and the writer does not get the room back. The\n"
"end of the block releases the packet, and so does garbage collection.");

PyDoc_STRVAR(HeldPacket_view_doc,
"The bytes of the packet. ``ValueError`` after the packet was released.");

PyDoc_STRVAR(HeldPacket_release_doc,
"release($self, /)\n--\n\n"
"Give the packet back; it then counts as read. A second call has no effect.\n"
"\n"
"Raises ``BufferError`` if a part of the view is still in use; the packet is still held then.");

static PyObject * held_release(PyObject * self,
                               PyObject * unused)
{
    struct packet * packet = (struct packet *) self;

    (void) unused;
    if (packet->place->is_lent && packet_end(packet, 0) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject * held_enter(PyObject * self,
                             PyObject * unused)
{
    (void) unused;
    return packet_view(self, "released");
}

static PyMethodDef held_methods[] = {
    { "release", held_release, METH_NOARGS, HeldPacket_release_doc },
    { "__enter__", held_enter, METH_NOARGS, NULL },
    { "__exit__", held_release, METH_VARARGS, NULL },
    { "__reduce__", packet_reduce, METH_NOARGS, NULL },
    { NULL, NULL, 0, NULL }
};

static PyGetSetDef held_properties[] = {
    { "view", packet_view, NULL, HeldPacket_view_doc, "released" },
    { NULL, NULL, NULL, NULL, NULL }
};

static PyType_Slot held_slots[] = {
    { Py_tp_new, refuse_to_make },
    { Py_tp_dealloc, packet_dealloc },
    { Py_tp_traverse, packet_traverse },
    { Py_tp_methods, held_methods },
    { Py_tp_getset, held_properties },
    { Py_tp_doc, (void *) HeldPacket_doc },
    { 0, NULL }
};

static PyType_Spec held_spec = {
    .name = "ouroboros.inplace.HeldPacket",
    .basicsize = sizeof(struct packet),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = held_slots
};

PyDoc_STRVAR(ReservedPacket_doc,
"Room for a packet in the place where the other end will read it. ``Flow.reserve`` makes it.\n"
"\n"
"::\n"
"\n"
"    with flow.reserve(65536) as packet:\n"
"        packet.commit(file.readinto(packet.view))\n"
"\n"
"Until the room is committed, nothing else can be written to the flow. The end of the block commits all of the room if\n"
"nothing was committed, and nothing if the block raised; garbage collection gives the room back and sends nothing.");

PyDoc_STRVAR(ReservedPacket_view_doc,
"The bytes of the room. ``ValueError`` after the room was committed.");

PyDoc_STRVAR(ReservedPacket_commit_doc,
"commit($self, /, count=None)\n--\n\n"
"Send the first ``count`` bytes as one packet; None is all, and 0 sends nothing and gives the room back.\n"
"\n"
"Returns ``count``. Raises ``ValueError`` if the room has fewer bytes, or if it was committed already,\n"
"``BufferError`` if a part of the view is still in use (the room is still reserved then), and as ``Flow.write``\n"
"if the flow went down.");

/* Raises what Flow.write raises for a negative number of the library. */
static void raise_as_write(PyObject * flow,
                           ssize_t    result)
{
    PyObject * descriptor = PyObject_GetAttrString(flow, "descriptor");
    PyObject * error;
    long       fd;

    if (descriptor == NULL)
        return;
    fd = PyLong_AsLong(descriptor);
    Py_DECREF(descriptor);
    if (fd == -1 && PyErr_Occurred())
        return;
    error = PyObject_CallMethod(flow, "_error", "ns", (Py_ssize_t) (fd < 0 ? -EFLOWDOWN : result), "write to");
    if (error == NULL)
        return;
    PyErr_SetObject((PyObject *) Py_TYPE(error), error);
    Py_DECREF(error);
}

/* Sends so many bytes, and returns how many; -1 with an exception. */
static Py_ssize_t reserved_send(struct packet * packet,
                                Py_ssize_t      count)
{
    if (packet_end(packet, count) < 0)
        return -1;
    if (packet->place->result >= 0)
        return packet->place->result;
    raise_as_write(packet->flow, packet->place->result);
    return -1;
}

static bool is_not_committed(const struct packet * packet)
{
    if (packet->place->is_lent)
        return true;
    PyErr_SetString(PyExc_ValueError, "the packet was committed");
    return false;
}

/*
 * Stores a number that the program has given; one that is too large for the type
 * becomes the largest or the smallest. Returns it as an integer of Python, or
 * NULL with TypeError.
 */
static PyObject * number(PyObject *   given,
                         Py_ssize_t * value)
{
    PyObject * integer = PyNumber_Index(given);

    if (integer != NULL)
        *value = PyNumber_AsSsize_t(integer, NULL);
    return integer;
}

static PyObject * reserved_commit(PyObject * self,
                                  PyObject * arguments,
                                  PyObject * keywords)
{
    static char *   names[] = { "count", NULL };
    struct packet * packet = (struct packet *) self;
    PyObject *      asked = Py_None;
    Py_ssize_t      count = packet->place->size;

    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "|O:commit", names, &asked)
        || !is_not_committed(packet))
        return NULL;
    if (asked != Py_None) {
        asked = number(asked, &count);
        if (asked == NULL)
            return NULL;
        if (count < 0 || count > packet->place->size)
            PyErr_Format(PyExc_ValueError, "count is %S, and %zd bytes are reserved", asked, packet->place->size);
        Py_DECREF(asked);
        if (PyErr_Occurred())
            return NULL;
        /* The program's __index__ may have committed it. */
        if (!is_not_committed(packet))
            return NULL;
    }
    count = reserved_send(packet, count);
    return count < 0 ? NULL : PyLong_FromSsize_t(count);
}

static PyObject * reserved_enter(PyObject * self,
                                 PyObject * unused)
{
    (void) unused;
    Py_INCREF(self);
    return self;
}

static PyObject * reserved_exit(PyObject * self,
                                PyObject * arguments)
{
    struct packet * packet = (struct packet *) self;
    PyObject *      type = PyTuple_GetItem(arguments, 0);

    if (type == NULL)
        return NULL;
    if (packet->place->is_lent && reserved_send(packet, type == Py_None ? packet->place->size : 0) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef reserved_methods[] = {
    { "commit", (PyCFunction) (void (*)(void)) reserved_commit, METH_VARARGS | METH_KEYWORDS,
      ReservedPacket_commit_doc },
    { "__enter__", reserved_enter, METH_NOARGS, NULL },
    { "__exit__", reserved_exit, METH_VARARGS, NULL },
    { "__reduce__", packet_reduce, METH_NOARGS, NULL },
    { NULL, NULL, 0, NULL }
};

static PyGetSetDef reserved_properties[] = {
    { "view", packet_view, NULL, ReservedPacket_view_doc, "committed" },
    { NULL, NULL, NULL, NULL, NULL }
};

static PyType_Slot reserved_slots[] = {
    { Py_tp_new, refuse_to_make },
    { Py_tp_dealloc, packet_dealloc },
    { Py_tp_traverse, packet_traverse },
    { Py_tp_methods, reserved_methods },
    { Py_tp_getset, reserved_properties },
    { Py_tp_doc, (void *) ReservedPacket_doc },
    { 0, NULL }
};

static PyType_Spec reserved_spec = {
    .name = "ouroboros.inplace.ReservedPacket",
    .basicsize = sizeof(struct packet),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = reserved_slots
};

/* Returns a packet of a flow whose place has no memory yet. It is made first: what was lent must not get lost. */
static struct packet * packet_prepare(PyObject * module,
                                      PyObject * flow,
                                      bool       is_reserved)
{
    struct state *  state = PyModule_GetState(module);
    PyTypeObject *  type = is_reserved ? state->reserved : state->held;
    struct packet * packet = (struct packet *) PyType_GenericAlloc(type, 0);

    if (packet == NULL)
        return NULL;
    packet->place = (struct place *) PyType_GenericAlloc(state->place, 0);
    if (packet->place == NULL) {
        Py_DECREF(packet);
        return NULL;
    }
    packet->place->is_reserved = is_reserved;
    Py_INCREF(module);
    packet->module = module;
    Py_INCREF(flow);
    packet->flow = flow;
    return packet;
}

/* Returns the packet, or instead of it the negative number of the library. */
static PyObject * packet_finish(struct packet * packet,
                                int             fd,
                                char *          address,
                                ssize_t         size)
{
    struct place * place = packet->place;

    if (size < 0) {
        Py_DECREF(packet);
        return PyLong_FromSsize_t(size);
    }
    place->fd = fd;
    place->address = address;
    place->size = size;
    place->is_lent = true;
    return (PyObject *) packet;
}

static PyObject * hold_packet(PyObject * module,
                              PyObject * arguments)
{
    PyObject *      flow;
    int             fd;
    struct packet * packet;
    const void *    address = NULL;
    ssize_t         size;

    if (!PyArg_ParseTuple(arguments, "Oi", &flow, &fd))
        return NULL;
    packet = packet_prepare(module, flow, false);
    if (packet == NULL)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    size = flow_peek(fd, &address);
    Py_END_ALLOW_THREADS
    return packet_finish(packet, fd, (char *) address, size);
}

static PyObject * reserve_room(PyObject * module,
                               PyObject * arguments)
{
    PyObject *      flow;
    int             fd;
    PyObject *      asked;
    Py_ssize_t      count;
    struct packet * packet;
    void *          address = NULL;
    ssize_t         size;

    if (!PyArg_ParseTuple(arguments, "OiO", &flow, &fd, &asked))
        return NULL;
    asked = number(asked, &count);
    if (asked == NULL)
        return NULL;
    if (count < 0)
        PyErr_Format(PyExc_ValueError, "count is %S", asked);
    Py_DECREF(asked);
    if (PyErr_Occurred())
        return NULL;
    packet = packet_prepare(module, flow, true);
    if (packet == NULL)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    size = flow_reserve(fd, &address, count);
    Py_END_ALLOW_THREADS
    return packet_finish(packet, fd, address, size);
}

static int state_fill(PyObject * module)
{
    struct state * state = PyModule_GetState(module);

    state->place = (PyTypeObject *) PyType_FromSpec(&place_spec);
    state->held = (PyTypeObject *) PyType_FromSpec(&held_spec);
    state->reserved = (PyTypeObject *) PyType_FromSpec(&reserved_spec);
    state->release = PyUnicode_InternFromString("release");
    if (state->place == NULL || state->held == NULL || state->reserved == NULL || state->release == NULL)
        return -1;
    /* The module has a reference of its own, since anybody may delete what it shows. */
    if (PyObject_SetAttrString(module, "HeldPacket", (PyObject *) state->held) < 0)
        return -1;
    return PyObject_SetAttrString(module, "ReservedPacket", (PyObject *) state->reserved);
}

static int state_traverse(PyObject * module,
                          visitproc  visit,
                          void *     arg)
{
    struct state * state = PyModule_GetState(module);

    if (state == NULL)
        return 0;
    Py_VISIT(state->place);
    Py_VISIT(state->held);
    Py_VISIT(state->reserved);
    return 0;
}

/* There is no m_clear, because packets use the state as long as they live. */
static void state_free(void * module)
{
    struct state * state = PyModule_GetState(module);

    if (state == NULL)
        return;
    Py_CLEAR(state->place);
    Py_CLEAR(state->held);
    Py_CLEAR(state->reserved);
    Py_CLEAR(state->release);
}

static PyMethodDef functions[] = {
    { "hold_packet", hold_packet, METH_VARARGS,
      "Wait for a packet of a flow with this descriptor. Returns it, or the negative number of the library." },
    { "reserve_room", reserve_room, METH_VARARGS,
      "Wait for room on a flow with this descriptor. Returns it, or the negative number of the library." },
    { NULL, NULL, 0, NULL }
};

static PyModuleDef_Slot slots[] = {
    { Py_mod_exec, state_fill },
    { 0, NULL }
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_places",
    .m_size = sizeof(struct state),
    .m_methods = functions,
    .m_slots = slots,
    .m_traverse = state_traverse,
    .m_free = state_free
};

PyMODINIT_FUNC PyInit__places(void)
{
    return PyModuleDef_Init(&definition);
}
